// Parameters of the spectrograms, shared by all views: a change in one tab applies to the others.

import { emit, events, state } from '../core/state.js';
import { track } from '../core/view_history.js';
import { t } from '../lib/i18n.js';

/** Values and defaults by field, and the server's limits, choices and presets; `possible`: the last values that are possible.
 * @type {{values: Record<string, any>, possible: Record<string, any>, defaults: Record<string, any>, spec: any}}
 */
export const parameters = { values: {}, possible: {}, defaults: {}, spec: null };

const ready = Promise.withResolvers();
/** Resolves once a view has brought the limits, choices and presets. */
export const specReady = ready.promise;

/** Keep the server's limits, choices and presets; every view brings the same. */
export function setSpec(spec) {
  if (parameters.spec) return;
  const defaults = { ...spec.presets.librosa, ...spec.cepstrum, db_ref: spec.db_refs[0] };
  Object.assign(parameters, { spec, defaults, values: { ...defaults }, possible: { ...defaults } });
  ready.resolve();
}

/** Whether a parameter's value is within its limits, or one of its choices. */
export function isLegal(name, value) {
  const { limits, windows, mel_scales, db_refs } = parameters.spec;
  const choices = { window: windows, mel_scale: mel_scales, db_ref: db_refs }[name];
  if (choices) return choices.includes(value);
  return typeof value === 'number' && value >= limits[name][0] && value <= limits[name][1];
}

/** The names of values that are legal alone but impossible together, as the server refuses them.
 * @param {Record<string, any>} values
 */
export function conflicts({ n_fft, win_length, fmin, fmax, sample_rate, n_mfcc, n_mels }) {
  const possible = /** @type {[boolean, string[]][]} */ ([
    [win_length <= n_fft, ['win_length', 'n_fft']], [fmin < fmax, ['fmin', 'fmax']],
    [fmax <= sample_rate / 2, ['fmax', 'sample_rate', 'fmin']], [n_mfcc <= n_mels, ['n_mfcc', 'n_mels']],
  ]);
  return [...new Set(possible.filter(([holds]) => !holds).flatMap(([, names]) => names))];
}

const arePossible = (/** @type {Record<string, any>} */ values) => (
  Object.entries(values).every(([name, value]) => isLegal(name, value)) && !conflicts(/** @type {any} */ (values)).length);

/** Parameters for requests of a kind of view; those that it does not use are set to legal values. */
export function configOf(kind, { n_mfcc, lifter, delta, ...values } = parameters.values) {
  if (kind === 'mfcc') return { ...values, n_mfcc };
  return kind === 'stft' ? { ...values, n_mels: 40, fmin: 0, fmax: values.sample_rate / 2 } : values;
}

/** The part of a request that holds the parameters. */
export function queryOf(kind, all = parameters.values) {
  const { lifter, delta } = all;
  return { config: configOf(kind, all), ...(kind === 'mfcc' && { cepstrum: { lifter, delta } }) };
}

/** The title of a level axis: dB of what. */
export const levelAxis = (reference) => t({
  max: 'page.level_axis_max', full_scale: 'page.level_axis_full_scale',
}[reference] ?? 'page.level_axis');

track(() => ({ ...parameters.values }), (values) => applyParameters(values));

/** @type {{digest: string, factor: number, before: object, after: object} | null} how the last expansion changed the rate and range */
let followed = null;

events.addEventListener('expanded', (/** @type {CustomEvent} */ { detail: { factor } }) => { // the same image, where possible
  const { sample_rate, fmin, fmax } = parameters.values;
  const { digest } = state.sound;
  const before = { sample_rate, fmin, fmax };
  const scaled = { sample_rate: Math.round(sample_rate * factor), fmin: fmin * factor, fmax: fmax * factor };
  const isPossible = Object.entries(scaled).every(([name, value]) => isLegal(name, value)) &&
    !conflicts({ ...parameters.values, ...scaled }).length;
  const back = followed?.digest === digest && Math.abs(followed.factor * factor - 1) < 1e-9;
  const same = (one, other) => Object.keys(one).every((name) => one[name] === other[name]);
  let after = isPossible ? scaled : before;
  if (back && same(followed.after, before)) after = followed.before; // exactly
  else if (back && same(followed.after, followed.before)) after = before; // they could not follow
  followed = { digest, factor, before, after };
  if (!same(before, after)) applyParameters(after, null, true);
});

/** Change parameters in all views; `source` is the field that is being typed into and keeps its text; `follow`: they only
 * follow how the file is read. */
export function applyParameters(changes, source = null, follow = false) {
  const { values } = parameters;
  Object.assign(values, changes);
  if (arePossible(values)) parameters.possible = { ...values };
  emit('parameters', { source, follow });
}
