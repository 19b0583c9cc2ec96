// Drawing of contours and onsets over a spectrogram, with a dark edge that is visible on every colour map, and their
// texts for the readout.

import { state } from '../core/state.js';
import { formatNumber, t } from '../lib/i18n.js';

export const COLOURS = { pitch: '#4fe3ff', centroid: '#c8ff4d', loudness: '#ffb1e1', onsets: '#ffffff' };
/** Features drawn over the spectrogram, in the order of the menu. */
export const CONTOURS = Object.keys(COLOURS);
const EDGE = 'rgb(0 0 0 / 78%)';
const LOUDNESS_SHARE = 0.25; // of the plot's height, at its bottom
const LOUDNESS_DB = 60; // range of levels in it
const NEAR_PX = 6;

/** First and last index of the times in the visible range, one more on both sides. */
function visibleIndices(times) {
  const { start, end } = state.visible;
  let [first, last] = [0, times.length];
  while (first < times.length - 1 && times[first + 1] < start) first += 1;
  while (last > first + 1 && times[last - 2] > end) last -= 1;
  return [first, last];
}

/** Stroke a line through the values; NaN and 0 are gaps. */
function stroke(viewer, context, times, values, yOf, colour, width) {
  const [first, last] = visibleIndices(times);
  const path = new Path2D();
  let down = false;
  for (let i = first; i < last; i++) {
    const known = Number.isFinite(values[i]) && values[i] !== 0;
    const [x, y] = known ? [viewer.xOf(times[i]), yOf(values[i])] : [0, 0];
    if (known && down) path.lineTo(x, y);
    else if (known) {
      path.moveTo(x - 0.5, y); // a single value is a dot
      path.lineTo(x + 0.5, y);
    }
    down = known;
  }
  context.lineJoin = context.lineCap = 'round';
  for (const [style, thick] of [[EDGE, width + 2.5], [colour, width]]) {
    [context.strokeStyle, context.lineWidth] = [style, thick];
    context.stroke(path);
  }
}

const topOf = ({ level_db: levels }) => Math.ceil(levels.reduce((most, level) => Math.max(most, level), -Infinity) / 10) * 10;

export const DRAW = {
  pitch(viewer, context, { times_s: times, f0_hz: hz }) {
    stroke(viewer, context, times, hz, (value) => viewer.yOf(value), COLOURS.pitch, 2.5);
  },

  /** The centroid as a line, the bandwidth as a pale band around it. */
  centroid(viewer, context, { times_s: times, centroid_hz: centre, bandwidth_hz: spread }) {
    const [first, last] = visibleIndices(times);
    const { top, height } = viewer.area();
    const within = (hz) => Math.min(top + height, Math.max(top, viewer.yOf(Math.max(1, hz))));
    context.beginPath();
    for (let i = first; i < last; i++) context.lineTo(viewer.xOf(times[i]), within(centre[i] + spread[i]));
    for (let i = last - 1; i >= first; i--) context.lineTo(viewer.xOf(times[i]), within(centre[i] - spread[i]));
    context.fillStyle = 'rgb(200 255 77 / 16%)';
    context.fill();
    stroke(viewer, context, times, centre, (value) => viewer.yOf(value), COLOURS.centroid, 1.8);
  },

  /** A curve at the bottom of the plot; its scale is in the legend. */
  loudness(viewer, context, result) {
    const { top, height } = viewer.area();
    const most = topOf(result);
    const y = (db) => top + height - Math.max(0, Math.min(1, (db - most + LOUDNESS_DB) / LOUDNESS_DB)) * LOUDNESS_SHARE * height - 2;
    stroke(viewer, context, result.times_s, result.level_db, y, COLOURS.loudness, 1.8);
  },

  onsets(viewer, context, { times_s: times }) {
    const { top, height } = viewer.area();
    for (const time of times) {
      if (time < state.visible.start || time > state.visible.end) continue;
      const x = Math.round(viewer.xOf(time));
      for (const [style, width] of [[EDGE, 3], [COLOURS.onsets, 1]]) {
        context.setLineDash(width === 1 ? [5, 4] : []);
        [context.strokeStyle, context.lineWidth] = [style, width];
        context.globalAlpha = width === 1 ? 0.95 : 0.35;
        context.beginPath();
        context.moveTo(x + 0.5, top);
        context.lineTo(x + 0.5, top + height);
        context.stroke();
      }
      context.setLineDash([]);
      context.globalAlpha = 1;
      context.fillStyle = COLOURS.onsets;
      context.beginPath();
      context.moveTo(x - 4, top);
      context.lineTo(x + 5, top);
      context.lineTo(x + 0.5, top + 7);
      context.fill();
    }
  },
};

/** The scale of the loudness curve, in words. */
export function levelRange(result) {
  const most = topOf(result);
  return `${formatNumber(most - LOUDNESS_DB)} … ${formatNumber(most)} ${t('features.unit_dba')}`;
}

/** Text of a feature for a time, empty where there is none. */
export function readings(feature, values, time) {
  const { times_s: times } = values;
  if (!times.length) return '';
  const after = times.findIndex((one) => one >= time);
  const later = after < 0 ? times.length - 1 : after;
  const nearest = later > 0 && time - times[later - 1] < times[later] - time ? later - 1 : later;
  const hz = (name) => `${formatNumber(values[name][nearest])} ${t('page.unit_hz')}`;
  if (feature === 'pitch') {
    const known = Number.isFinite(values.f0_hz[nearest]);
    return `${t('features.short_pitch')} ${known ? `${formatNumber(values.f0_hz[nearest], 1)} ${t('page.unit_hz')}` : '–'}`;
  }
  if (feature === 'centroid') return `${t('features.short_centroid')} ${hz('centroid_hz')} ± ${hz('bandwidth_hz')}`;
  if (feature === 'loudness') return `${formatNumber(values.level_db[nearest], 1)} ${t('features.unit_dba')}`;
  const { start, end } = state.visible;
  const close = Math.abs(times[nearest] - time) < (NEAR_PX / 1000) * (end - start);
  return close ? `${t('features.short_onset')} ${formatNumber(times[nearest], 3)} ${t('page.unit_s')}` : '';
}
