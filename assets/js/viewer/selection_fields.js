// Number fields for the times and frequencies of the selection, which can also be made by them.

import { select, state } from '../core/state.js';
import { element, find } from '../lib/dom.js';
import { t } from '../lib/i18n.js';

const DECIMALS = { start: 3, end: 3, low_hz: 1, high_hz: 1 };
const LABELS = {
  start: 'measurements.start', end: 'measurements.end', low_hz: 'measurements.low_hz', high_hz: 'measurements.high_hz',
};
const field = (name) => `<input type="number" min="0" step="any" inputmode="decimal" data-edge="${name}"
  data-aria="${LABELS[name]}">`;

/** Build the fields of a viewer; `complain` shows why typed values are no selection.
 * @param {any} viewer
 * @param {(text: string) => void} complain
 */
export function selectionFields(viewer, complain) {
  const root = element(`<div class="sg-edges">${field('start')}–${field('end')}<span data-t="page.unit_s"></span>
    <span class="sg-edges-hz">${field('low_hz')}–${field('high_hz')}<span data-t="page.unit_hz"></span></span></div>`);
  const inputs = Object.fromEntries(Object.keys(DECIMALS).map((name) => [name, find(root, `[data-edge=${name}]`)]));
  find(root, '.sg-edges-hz').hidden = !viewer.pitched;
  const selected = (name) => state.selection?.[name] ?? null;
  const text = (name) => (selected(name) === null ? '' : String(Number(selected(name).toFixed(DECIMALS[name]))));
  const write = () => {
    for (const [name, input] of Object.entries(inputs)) {
      input.value = text(name);
      input.removeAttribute('aria-invalid');
    }
  };
  const typed = (entered = false) => {
    const values = /** @type {Record<string, number | null>} */ ({});
    for (const [name, { value }] of Object.entries(inputs)) { // a field that was not touched keeps its exact value
      values[name] = value === text(name) ? selected(name) : value === '' ? null : Number(value);
    }
    if (Object.values(values).every((value) => value === null)) return select(null);
    const half = (values.start === null) !== (values.end === null) || (values.low_hz === null) !== (values.high_hz === null);
    if (half && !entered) return; // the other edge is typed next; Enter takes the default for it
    const { visible, sound } = state;
    const [start, end] = [values.start ?? visible.start, values.end ?? visible.end];
    const banded = values.low_hz !== null || values.high_hz !== null;
    const [low_hz, high_hz] = banded ? [values.low_hz ?? 0, values.high_hz ?? sound.sample_rate / 2] : [null, null];
    const wrong = [
      ...(end > start && start < sound.seconds ? [] : ['start', 'end']),
      ...(!banded || (high_hz > low_hz && low_hz < sound.sample_rate / 2) ? [] : ['low_hz', 'high_hz']),
    ];
    for (const [name, input] of Object.entries(inputs)) input.setAttribute('aria-invalid', String(wrong.includes(name)));
    if (wrong.length) complain(t(wrong.includes('start') ? 'measurements.wrong_times' : 'measurements.wrong_band'));
    else select({ start, end, low_hz, high_hz }, { edit: true });
  };
  root.addEventListener('change', () => typed());
  root.addEventListener('keydown', ({ key }) => { if (key === 'Enter') typed(true); });
  viewer.onState('selection sound', write);
  write();
  return root;
}
