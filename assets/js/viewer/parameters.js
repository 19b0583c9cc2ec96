// Parameters of the spectrograms, shared by all views: a change in one tab applies to the others.

import { emit } from '../core/state.js';
import { track } from '../core/view_history.js';
import { t } from '../lib/i18n.js';

/** Values and defaults by field, and the server's limits, choices and presets.
 * @type {{values: Record<string, any>, defaults: Record<string, any>, spec: any}}
 */
export const parameters = { values: {}, defaults: {}, spec: null };

/** Keep the server's limits, choices and presets; every view brings the same. */
export function setSpec(spec) {
  if (parameters.spec) return;
  const defaults = { ...spec.presets.librosa, ...spec.cepstrum, db_ref: spec.db_refs[0] };
  Object.assign(parameters, { spec, defaults, values: { ...defaults } });
}

/** The title of a level axis: dB of what. */
export const levelAxis = (reference) => t({
  max: 'page.level_axis_max', full_scale: 'page.level_axis_full_scale',
}[reference] ?? 'page.level_axis');

track(() => ({ ...parameters.values }), (values) => applyParameters(values));

/** Change parameters in all views; `source` is the field that is being typed into and keeps its text. */
export function applyParameters(changes, source = null) {
  Object.assign(parameters.values, changes);
  emit('parameters', { source });
}
