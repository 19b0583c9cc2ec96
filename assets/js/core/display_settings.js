// Display settings of all views: colours, level range, smoothing, axes, height; kept for the next visit.

import { emit } from './state.js';
import { KINDS } from '../lib/frequency_axis.js';
import { NAMES } from '../lib/colormaps.js';
import { localStore, localStored } from '../lib/storage.js';

const KEY = 'soundglass-display';
export const HEADROOM_DB = 30; // how far gain reaches beyond the levels of the spectrogram
export const SECOND_VIEWS = ['none', 'wave', 'stft', 'mel', 'mfcc'];
export const HEIGHTS = { least: 160, most: 1200 }; // CSS pixels

const finite = (low, high) => (value) => Number.isFinite(value) && value >= low && value <= high;
const LEGAL = {
  colours: (value) => NAMES.includes(value),
  low: (value) => value === null || finite(-200, HEADROOM_DB)(value),
  high: finite(-200, HEADROOM_DB),
  smooth: (value) => typeof value === 'boolean',
  second: (value) => SECOND_VIEWS.includes(value),
  lead: (value) => value === null || SECOND_VIEWS.slice(1).includes(value),
  height: (value) => value === null || finite(HEIGHTS.least, HEIGHTS.most)(value),
  axes: (value) => value !== null && typeof value === 'object' && Object.values(value).every((kind) => KINDS.includes(kind)),
};

/** Settings of a first visit. `low` and `high` are dB below the maximum; null: the spectrogram's floor. `lead`: the view that
 * `second` was chosen for. */
export const DEFAULTS = Object.freeze({
  colours: 'magma', low: null, high: 0, smooth: false, second: 'wave', lead: null, height: null, axes: {},
});

/** @type {typeof DEFAULTS & {axes: Record<string, string>}} */
export const display = { ...DEFAULTS, ...legalOf(stored()).legal };

/** The stored settings; those of earlier versions could hide the waveform. */
function stored() {
  const { waveform, ...settings } = localStored(KEY) ?? {};
  return waveform === false ? { second: 'none', ...settings } : settings;
}

/** The levels of the darkest and the brightest colour, in dB below the maximum of a view's data. */
export function displayedRange({ low_db: low, high_db: high }) {
  return [Math.min(display.low ?? low - high, display.high - 1), display.high];
}

/** The view that is shown above another one, on its time axis, or 'none'. The chosen one on its own tab has the view above it
 * that it was chosen for: the two stay together. */
export function secondOf(view) {
  const { second, lead } = display;
  const chosen = second === view ? lead ?? DEFAULTS.second : second;
  return chosen === view ? 'none' : chosen;
}

/** Split settings into the legal ones and the names of the others. */
export function legalOf(settings) {
  const names = Object.keys(settings);
  const possible = (name) => Object.hasOwn(LEGAL, name) && LEGAL[name](settings[name]);
  return {
    legal: Object.fromEntries(names.filter(possible).map((name) => [name, settings[name]])),
    wrong: names.filter((name) => !possible(name)),
  };
}

/** Change settings, for all views and by default for the next visit, too. */
export function changeDisplay(settings, keep = true) {
  Object.assign(display, settings);
  if (keep) localStore(KEY, display);
  emit('display');
}
