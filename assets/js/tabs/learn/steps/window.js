// Step: window and hop.

import { formatNumber, formatPercent, t } from '../../../lib/i18n.js';
import { uncertainty } from '../formulas.js';
import { SHOWN_DB, drawSpectrogram } from '../figure.js';

const MOST_FRAMES = 4000;
const BOX_AT = { seconds: 0.97, hz: 0.95 }; // the right top corner of the box, as shares of the figure
const ENLARGED = 10; // times; to scale it would cover a few pixels

/** Samples of the window and between windows. */
function lengths({ samples }, { size: power, overlap }) {
  const size = 2 ** power;
  return { size, hop: Math.max(size >> overlap, Math.ceil(samples.length / MOST_FRAMES)) };
}

export default {
  name: 'window',
  tab: 'stft',
  sliders: {
    size: { min: 6, max: 13, step: 1, value: 10, text: (power) => formatNumber(2 ** power) },
    overlap: { min: 0, max: 3, step: 1, value: 2, text: (power) => formatPercent(1 - 1 / 2 ** power, power > 2 ? 1 : 0) },
  },

  draw(lesson, values) {
    const { figure, excerpt } = lesson;
    const { size, hop } = lengths(excerpt, values);
    const found = lesson.spectrogram(size, hop);
    const area = figure.panel();
    const { high, seconds } = drawSpectrogram(lesson, area, found, hop, SHOWN_DB);
    const { seconds: dt, hz: df, product } = uncertainty(size, excerpt.rate);
    const { context } = figure;
    const [width, height] = [((ENLARGED * dt) / seconds) * area.width, ((ENLARGED * df) / high) * area.height];
    const [x, y] = [area.left + BOX_AT.seconds * area.width, area.top + (1 - BOX_AT.hz) * area.height];
    context.fillStyle = 'rgb(255 255 255 / 25%)';
    context.fillRect(x - width, y, width, height);
    for (const [colour, line] of /** @type {[string, number][]} */ ([['#000', 4], ['#fff', 2]])) {
      context.strokeStyle = colour;
      context.lineWidth = line;
      context.strokeRect(x - width, y, width, height);
    }
    return {
      size: formatNumber(size), dt: formatNumber(1000 * dt, 1), df: formatNumber(df, 1), product: formatNumber(product),
      frames: formatNumber(found.frames), hop: formatNumber((1000 * hop) / excerpt.rate, 1),
    };
  },

  open(lesson, values) {
    const { size, hop } = lengths(lesson.excerpt, values);
    return lesson.settings({ n_fft: size, win_length: size, hop_length: hop });
  },
};
