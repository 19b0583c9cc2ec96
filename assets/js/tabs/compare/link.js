// The comparison as one field of the page's address, such as `with:crow,offset:0.25,view:stft`; a sound of one's own is not in it.

import { parameters } from '../../viewer/parameters.js';

const SAME = 'same'; // B's settings are those of A
const KEPT = 'kept';

/** Return the comparison as text, null where nothing is chosen.
 * @param {{other: any, offset: number, kind: string, range: number, chosen: string, kept: Record<string, any> | null}} comparison
 *   `chosen`: SAME, KEPT or a preset, `kept`: the values of KEPT
 * @param {{kind: string, range: number}} normal
 */
export function linkText({ other, offset, kind, range, chosen, kept }, normal) {
  const { values, defaults } = parameters;
  const untouched = other ? chosen === SAME : chosen === KEPT && Object.keys(values).every((name) => kept[name] === values[name]);
  const changed = chosen === KEPT ? Object.entries(kept).filter(([name, value]) => value !== defaults[name]) : [];
  const parts = [
    ...(other?.example ? [['with', other.example]] : []),
    ...(offset ? [['offset', offset]] : []),
    ...(kind !== normal.kind ? [['view', kind]] : []),
    ...(range !== normal.range ? [['range', range]] : []),
    ...(untouched ? [] : [['settings', chosen], ...changed]),
  ];
  return parts.map((part) => part.join(':')).join(',') || null;
}

/** Return what a link's text says, null where it is not possible.
 * @param {string} text
 * @param {{examples: string[], kinds: string[], ranges: number[], presets: string[]}} choices
 */
export function readLink(text, { examples, kinds, ranges, presets }) {
  const fields = Object.fromEntries(text.split(',').map((part) => part.split(':')));
  const { with: example = '', offset = '0', view, range, settings, ...others } = fields;
  const { defaults } = parameters;
  const values = Object.fromEntries(Object.entries(others).map(([name, value]) => [name, Number.isNaN(Number(value)) ? value : Number(value)]));
  const possible = (!example || examples.includes(example)) && Number.isFinite(Number(offset || NaN)) &&
    (view === undefined || kinds.includes(view)) && (range === undefined || ranges.includes(Number(range))) &&
    (settings === undefined || [SAME, KEPT, ...presets].includes(settings)) &&
    Object.keys(values).every((name) => Object.hasOwn(defaults, name) && values[name] !== undefined);
  return possible ? { example, offset: Number(offset), view, range, settings, kept: { ...defaults, ...values } } : null;
}
