// Advice on parameters that mislead, each with a button that fixes it.

import { state } from '../core/state.js';
import { element, find } from '../lib/dom.js';
import { formatNumber, t } from '../lib/i18n.js';
import { localStore, localStored } from '../lib/storage.js';
import { deferWhilePressed } from '../widgets/defer_while_pressed.js';
import { applyParameters, parameters } from './parameters.js';

const MAX_NOTES = 3; // at a time, the gravest first
const DISMISSED = 'soundglass-dismissed'; // in the browser's storage: keys of notes
const TENTHS = ['bin_hz', 'resolution_hz', 'span_hz'];

/** The values of a note as they are written in it. */
function written({ bands = [], ...values }) {
  const known = Object.entries(values).filter(([, value]) => value !== null); // a loss without end has a text of its own
  const texts = known.map(([name, value]) => (
    [name, formatNumber(name === 'share' ? 100 * value : value, TENTHS.includes(name) ? 1 : 0)]));
  const numbers = bands.slice(0, 6).map((band) => band + 1).join(', ') + (bands.length > 6 ? ', …' : '');
  return { ...Object.fromEntries(texts), count: bands.length, bands: numbers };
}

/** Advice of one panel. */
export class Advice {
  advice = [];
  meaning = null; // what the server derived from the parameters

  constructor(root, panel) {
    this.panel = panel;
    this.draw = deferWhilePressed(panel.root, () => { // nothing changes while a slider is held
      const hidden = dismissed();
      const all = [this.unresolved(), ...this.advice].filter((one) => one && !hidden.includes(one.key));
      root.replaceChildren(...all.slice(0, MAX_NOTES).map((advice) => this.note(advice)));
    }, panel.viewer.signal);
    panel.viewer.onState('selection', () => this.draw());
  }

  show(advice, meaning) {
    [this.advice, this.meaning] = [advice, meaning];
    this.draw();
  }

  /** Advice on a selection that is narrower than the frequency resolution. */
  unresolved() {
    const { low_hz: low, high_hz: high } = state.selection ?? {};
    if (!this.meaning || !high || high - low >= this.meaning.resolution_hz) return null;
    const { win_length: length, n_fft: size } = parameters.values;
    const longer = Math.ceil((length * this.meaning.resolution_hz) / (high - low));
    const possible = longer <= parameters.spec.limits.n_fft[1];
    const fix = possible ? { win_length: longer, n_fft: Math.max(size, 2 ** Math.ceil(Math.log2(longer))) } : null;
    return { key: 'apart', grave: true, values: { span_hz: high - low, resolution_hz: this.meaning.resolution_hz }, fix };
  }

  note({ key, grave, values, fix }) {
    const note = element(`<p class="sg-note" data-note="${key}"><span></span>
      <button type="button" class="sg-link"></button></p>`);
    note.toggleAttribute('data-grave', grave);
    const text = values.loss_db === null ? 'parameter_advice.note_unseen' : `parameter_advice.note_${key}`;
    find(note, 'span').textContent = t(text, written(values));
    const button = find(note, 'button');
    if (!grave) note.append(this.closeButton(key)); // what misleads stays
    button.hidden = !fix;
    if (fix) {
      button.textContent = label(key, values, this.panel.relevant(fix));
      button.addEventListener('click', () => applyParameters(this.panel.relevant(fix)));
    }
    return note;
  }

  closeButton(key) {
    const button = element(`<button type="button" class="sg-dismiss" data-aria="parameter_advice.dismiss"
      data-tip="parameter_advice.dismiss">×</button>`);
    button.addEventListener('click', () => {
      dismiss(key);
      this.draw();
    });
    return button;
  }
}

function dismissed() {
  return localStored(DISMISSED) ?? [];
}

function dismiss(key) {
  localStore(DISMISSED, [...dismissed(), key]);
}

function label(key, values, fix) {
  if (key === 'rate') return t('parameter_advice.rate_use', written(values));
  const changes = Object.entries(fix).filter(([name, value]) => parameters.values[name] !== value)
    .map(([name, value]) => `${t(`parameters.field_${name}`)} = ${formatNumber(value)}`);
  return t('parameter_advice.fix', { changes: changes.join(', ') });
}
