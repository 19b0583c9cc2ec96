// How layers of lines and marks are drawn over a picture, and what they say at a time. Each has a dark edge, so that it
// reads on every colour map, and a colour and a shape of its own.

import { state } from '../core/state.js';
import { formatNumber, t } from '../lib/i18n.js';

export const COLOURS = { pitch: '#4fe3ff', centroid: '#c8ff4d', loudness: '#ffb1e1', onsets: '#ffffff' };
const EDGE = 'rgb(0 0 0 / 78%)';
const STRIP = 0.25; // of the picture's height, at its bottom: where loudness is drawn
const SPAN_DB = 60; // of that strip
const NEAR_PX = 6;

/** Which of the values at `times` lie in the shown stretch, one more on both sides. */
function shown(times) {
  const { start, end } = state.visible;
  let [first, last] = [0, times.length];
  while (first < times.length - 1 && times[first + 1] < start) first += 1;
  while (last > first + 1 && times[last - 2] > end) last -= 1;
  return [first, last];
}

/** Stroke a line through what is known: a value of NaN or 0 lifts the pen. */
function stroke(viewer, context, times, values, yOf, colour, width) {
  const [first, last] = shown(times);
  const path = new Path2D();
  let down = false;
  for (let i = first; i < last; i++) {
    const known = Number.isFinite(values[i]) && values[i] !== 0;
    const [x, y] = known ? [viewer.xOf(times[i]), yOf(values[i])] : [0, 0];
    if (known && down) path.lineTo(x, y);
    else if (known) {
      path.moveTo(x - 0.5, y); // a lonely value is a dot
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

  /** The centre as a line, and how far the spectrum spreads around it as a pale band. */
  centroid(viewer, context, { times_s: times, centroid_hz: centre, bandwidth_hz: spread }) {
    const [first, last] = shown(times);
    const { top, height } = viewer.area();
    const within = (hz) => Math.min(top + height, Math.max(top, viewer.yOf(Math.max(1, hz))));
    context.beginPath();
    for (let i = first; i < last; i++) context.lineTo(viewer.xOf(times[i]), within(centre[i] + spread[i]));
    for (let i = last - 1; i >= first; i--) context.lineTo(viewer.xOf(times[i]), within(centre[i] - spread[i]));
    context.fillStyle = 'rgb(200 255 77 / 16%)';
    context.fill();
    stroke(viewer, context, times, centre, (value) => viewer.yOf(value), COLOURS.centroid, 1.8);
  },

  /** A curve along the bottom of the picture; its scale stands in the legend. */
  loudness(viewer, context, layer) {
    const { top, height } = viewer.area();
    const most = topOf(layer);
    const y = (db) => top + height - Math.max(0, Math.min(1, (db - most + SPAN_DB) / SPAN_DB)) * STRIP * height - 2;
    stroke(viewer, context, layer.times_s, layer.level_db, y, COLOURS.loudness, 1.8);
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

  scaleOf(layer) {
    const most = topOf(layer);
    return `${formatNumber(most - SPAN_DB)} … ${formatNumber(most)} ${t('features.unit_dba')}`;
  },
};

/** What a layer says at a time, in words; nothing where it knows nothing. */
export function readings(layer, values, time) {
  const { times_s: times } = values;
  let nearest = 0;
  let [low, high] = [0, times.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle] < time) low = middle + 1;
    else high = middle;
  }
  nearest = low > 0 && (low === times.length || time - times[low - 1] < times[low] - time) ? low - 1 : low;
  if (!times.length) return '';
  const hz = (name) => `${formatNumber(values[name][nearest])} ${t('page.unit_hz')}`;
  if (layer === 'pitch') {
    const known = Number.isFinite(values.f0_hz[nearest]);
    return `${t('features.short_pitch')} ${known ? `${formatNumber(values.f0_hz[nearest], 1)} ${t('page.unit_hz')}` : '–'}`;
  }
  if (layer === 'centroid') return `${t('features.short_centroid')} ${hz('centroid_hz')} ± ${hz('bandwidth_hz')}`;
  if (layer === 'loudness') return `${formatNumber(values.level_db[nearest], 1)} ${t('features.unit_dba')}`;
  const { start, end } = state.visible;
  const close = Math.abs(times[nearest] - time) < (NEAR_PX / 1000) * (end - start);
  return close ? `${t('features.short_onset')} ${formatNumber(times[nearest], 3)} ${t('page.unit_s')}` : '';
}
