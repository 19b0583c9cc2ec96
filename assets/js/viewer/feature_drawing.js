// Contours and onsets over a spectrogram, with a dark edge that is visible on every colour map.

import { state } from '../core/state.js';
import { formatHz, formatNumber, t } from '../lib/i18n.js';

const EDGE = 'rgb(0 0 0 / 78%)';
const LOUDNESS_SHARE = 0.25; // of the plot's height, at its bottom
const LOUDNESS_DB = 60; // range of levels in it
const NEAR_PX = 6;

/** Stroke a line through the values; NaN and 0 are gaps. */
function stroke(viewer, context, times, values, yOf, colour, width) {
  const path = new Path2D();
  let down = false;
  times.forEach((time, i) => {
    const known = Number.isFinite(values[i]) && values[i] !== 0;
    const [x, y] = known ? [viewer.xOf(time), yOf(values[i])] : [0, 0];
    if (known && !down) path.moveTo(x - 0.5, y); // a single value is a dot
    if (known) path.lineTo(down ? x : x + 0.5, y);
    down = known;
  });
  context.lineJoin = context.lineCap = 'round';
  for (const [style, thick] of [[EDGE, width + 2.5], [colour, width]]) {
    [context.strokeStyle, context.lineWidth] = [style, thick];
    context.stroke(path);
  }
}

const topOf = ({ level_db: levels }) => Math.ceil(levels.reduce((most, level) => Math.max(most, level), -Infinity) / 10) * 10;

/** The features that are drawn over a spectrogram, in the order of the menu: colour, `draw(viewer, context, values)`, the
 *  text of the value with index `i` for the readout, and for some the text of the legend.
 * @type {Record<string, any>}
 */
export const CONTOURS = {
  pitch: {
    colour: '#4fe3ff',
    draw(viewer, context, { times_s: times, f0_hz: hz }) {
      stroke(viewer, context, times, hz, (value) => viewer.yOf(value), this.colour, 2.5);
    },
    text: ({ f0_hz: hz }, i) => `${t('features.short_pitch')} ${Number.isFinite(hz[i]) ? formatHz(hz[i], 1) : '–'}`,
  },

  centroid: { // as a line, the bandwidth as a pale band around it
    colour: '#c8ff4d',
    draw(viewer, context, { times_s: times, centroid_hz: centre, bandwidth_hz: spread }) {
      const { top, height } = viewer.area();
      const within = (hz) => Math.min(top + height, Math.max(top, viewer.yOf(Math.max(1, hz))));
      context.beginPath();
      times.forEach((time, i) => context.lineTo(viewer.xOf(time), within(centre[i] + spread[i])));
      for (let i = times.length - 1; i >= 0; i--) context.lineTo(viewer.xOf(times[i]), within(centre[i] - spread[i]));
      context.fillStyle = 'rgb(200 255 77 / 16%)';
      context.fill();
      stroke(viewer, context, times, centre, (value) => viewer.yOf(value), this.colour, 1.8);
    },
    text: ({ centroid_hz: centre, bandwidth_hz: spread }, i) => (
      `${t('features.short_centroid')} ${formatHz(centre[i])} ± ${formatHz(spread[i])}`),
  },

  loudness: { // at the bottom of the plot; its scale is in the legend
    colour: '#ffb1e1',
    draw(viewer, context, values) {
      const { top, height } = viewer.area();
      const most = topOf(values);
      const share = (db) => Math.max(0, Math.min(1, (db - most + LOUDNESS_DB) / LOUDNESS_DB));
      const y = (db) => top + height * (1 - LOUDNESS_SHARE * share(db)) - 2;
      stroke(viewer, context, values.times_s, values.level_db, y, this.colour, 1.8);
    },
    text: ({ level_db: levels }, i) => `${formatNumber(levels[i], 1)} ${t('features.unit_dba')}`,
    legend(values) {
      const most = topOf(values);
      return `${formatNumber(most - LOUDNESS_DB)} … ${formatNumber(most)} ${t('features.unit_dba')}`;
    },
  },

  onsets: {
    colour: '#ffffff',
    draw(viewer, context, { times_s: times }) {
      const { top, height } = viewer.area();
      for (const time of times.filter((one) => one >= state.visible.start && one <= state.visible.end)) {
        const x = Math.round(viewer.xOf(time));
        for (const [style, width] of [[EDGE, 3], [this.colour, 1]]) {
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
        context.fillStyle = this.colour;
        context.beginPath();
        context.moveTo(x - 4, top);
        context.lineTo(x + 5, top);
        context.lineTo(x + 0.5, top + 7);
        context.fill();
      }
    },
    text: ({ times_s: times }, i, near) => (
      near ? `${t('features.short_onset')} ${formatNumber(times[i], 3)} ${t('page.unit_s')}` : ''),
    legend: ({ times_s: times }) => formatNumber(times.length),
  },
};

/** Text of a feature at a time, empty where there is none. */
export function textAt(viewer, feature, values, time) {
  const { times_s: times } = values;
  if (!times.length) return '';
  const nearest = times.reduce((best, one, i) => (Math.abs(one - time) < Math.abs(times[best] - time) ? i : best), 0);
  return CONTOURS[feature].text(values, nearest, Math.abs(viewer.xOf(times[nearest]) - viewer.xOf(time)) < NEAR_PX);
}
