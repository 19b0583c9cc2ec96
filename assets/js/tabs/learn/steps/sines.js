// Step: sine waves and the FFT.

import { powerToDb } from '../../../lib/decibels.js';
import { formatNumber, formatPercent, t } from '../../../lib/i18n.js';
import { strongestSines } from '../formulas.js';
import { loudestFrame } from '../figure.js';

const SIZE = 1024;
const SHOWN_DB = 70;

export default {
  name: 'sines',
  tab: 'stft',
  sliders: { sines: { min: 0, max: 9, step: 1, value: 2, text: (power) => formatNumber(2 ** power) } },

  draw({ figure, excerpt }, { sines: power }) {
    const { rate } = excerpt;
    const frame = loudestFrame(excerpt, SIZE);
    const { bins, energies, sum, share } = strongestSines(frame, 2 ** power);
    const [upper, lower] = [figure.panel(0, 0.5), figure.panel(0.5, 1)];
    const peak = frame.reduce((most, value) => Math.max(most, Math.abs(value)), 0) || 1;
    figure.vertical(upper, -peak, peak, t('learn.axis_pressure'));
    figure.horizontal(upper, 0, (1000 * SIZE) / rate, t('page.unit_ms'));
    figure.curve(upper, frame, -peak, peak, figure.faint, 1);
    figure.curve(upper, sum, -peak, peak, figure.accent, 1.8);
    const [kept, most] = [new Set(bins), Math.max(...energies) || 1];
    const level = (k) => 1 + powerToDb(energies[k] / most) / SHOWN_DB;
    figure.vertical(lower, -SHOWN_DB, 0, t('page.unit_db'));
    figure.horizontal(lower, 0, rate / 2, t('page.unit_hz'));
    figure.bars(lower, Array.from(energies.keys(), level), (k) => (kept.has(k) ? figure.accent : figure.faint), 0);
    return {
      count: formatNumber(bins.length), all: formatNumber(energies.length), share: formatPercent(share, 1),
      hz: formatNumber((bins[0] * rate) / SIZE),
    };
  },

  open: ({ settings }) => settings({ n_fft: SIZE, win_length: SIZE, hop_length: SIZE / 4 }),
};
