// Step: MFCC and speech.

import { formatNumber, t } from '../../../lib/i18n.js';
import { cepstrum, envelope, melFilters, melLevels, rmsDifference } from '../formulas.js';
import { limits, loudestFrame } from '../figure.js';
import { Spectrum } from '../../../lib/fft.js';

const [SIZE, BANDS, SHOWN_DB, MOST_HZ] = [2048, 40, 80, 11_025];

export default {
  name: 'mfcc',
  tab: 'mfcc',
  sliders: { coefficients: { min: 1, max: BANDS, step: 1, value: 13, text: (count) => formatNumber(count) } },

  draw({ figure, excerpt }, { coefficients: count }) {
    const { rate } = excerpt;
    const db = new Spectrum(SIZE).levels(loudestFrame(excerpt, SIZE));
    const filters = melFilters(BANDS, 0, Math.min(MOST_HZ, rate / 2));
    const floor = limits(db).top - SHOWN_DB;
    const levels = melLevels(db, filters, rate / SIZE, floor);
    const outline = envelope(cepstrum(levels), count);
    const top = Math.max(...levels, floor + 1);
    const area = figure.panel();
    figure.bars(area, levels.map((level) => (level - floor) / (1.05 * (top - floor))), () => figure.line, 2);
    const middle = area.width / BANDS / 2;
    const points = outline.map((level, i) => [(2 * i + 1) * middle, (level - floor) / (1.05 * (top - floor))]);
    figure.path(area, points, figure.accent, 2.5);
    figure.vertical(area, floor - top, 0.05 * (top - floor), t('page.unit_db'));
    figure.horizontal(area, 0, BANDS, t('learn.axis_band'));
    return { count: formatNumber(count), bands: formatNumber(BANDS), rms: formatNumber(rmsDifference(levels, outline), 1) };
  },

  open: (_, { coefficients }) => ({ n_mels: BANDS, n_mfcc: Math.max(2, coefficients) }),
};
