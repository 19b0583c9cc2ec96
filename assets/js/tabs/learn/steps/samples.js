// Step: pressure and samples.

import { show } from '../../../core/state.js';
import { formatNumber, t } from '../../../lib/i18n.js';

const SHORTEST_S = 0.002;
const DOTS_PX = 6; // between samples that show as dots

/** The loudest moment of the excerpt, around which it is enlarged. */
const loudest = (samples) => samples.reduce((best, value, i) => (Math.abs(value) > Math.abs(samples[best]) ? i : best), 0);

/** First sample and number of samples in view; each step of the zoom halves the time. */
function inView({ samples, rate }, zoom) {
  const least = Math.min(samples.length, Math.max(8, Math.round(SHORTEST_S * rate)));
  const count = Math.max(least, Math.round(samples.length / 2 ** zoom));
  const first = Math.min(samples.length - count, Math.max(0, loudest(samples) - Math.floor(count / 2)));
  return { first, count };
}

export default {
  name: 'samples',
  tab: 'wave',
  sliders: { zoom: { min: 0, max: 11, step: 0.5, value: 8, text: (zoom) => `× ${formatNumber(2 ** zoom)}` } },

  draw({ figure, excerpt }, { zoom }) {
    const { samples, rate, start } = excerpt;
    const { first, count } = inView(excerpt, zoom);
    const shown = samples.subarray(first, first + count);
    const peak = shown.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const area = figure.panel();
    const limit = peak || 1;
    figure.vertical(area, -limit, limit, t('learn.axis_pressure'));
    figure.times(area, start + first / rate, start + (first + count) / rate);
    figure.path(area, [[0, 0.5], [area.width, 0.5]], figure.faint, 1, [3, 3]);
    figure.curve(area, shown, -limit, limit, figure.accent, 1.2);
    const step = area.width / (count - 1);
    if (step >= DOTS_PX) shown.forEach((value, i) => figure.dot(area, i * step, (value / limit + 1) / 2));
    return {
      samples: formatNumber(count), ms: formatNumber((1000 * count) / rate, count < rate / 10 ? 1 : 0),
      us: formatNumber(1e6 / rate, 1), peak: formatNumber(peak, 3),
    };
  },

  values: ({ excerpt }) => ({ rate: formatNumber(excerpt.rate) }),

  open({ excerpt }, { zoom }) {
    const { first, count } = inView(excerpt, zoom);
    show(excerpt.start + first / excerpt.rate, excerpt.start + (first + count) / excerpt.rate);
  },
};
