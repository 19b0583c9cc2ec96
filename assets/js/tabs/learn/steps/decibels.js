// Step: decibels.

import { formatNumber, formatPercent, t } from '../../../lib/i18n.js';
import { bytes, drawSpectrogram, limits, rowsUpTo } from '../figure.js';
import { amplitudeRatio } from '../formulas.js';

const [SIZE, HOP] = [1024, 256];

export default {
  name: 'decibels',
  tab: 'mel',
  sliders: { depth: { min: 10, max: 120, step: 5, value: 60, text: (db) => `${formatNumber(db)} ${t('page.unit_db')}` } },

  draw(lesson, { depth }) {
    const { figure } = lesson;
    const found = lesson.spectrogram(SIZE, HOP);
    const { top } = limits(found.db);
    const [left, right] = [figure.panel(0, 0.5, true), figure.panel(0.5, 1, true)];
    drawSpectrogram(lesson, right, found, HOP, depth);
    const { rows, high } = rowsUpTo(found, lesson.excerpt.rate);
    const amplitudes = bytes(rows.levels.map((db) => 1 / amplitudeRatio(top - db)), 0, 1);
    figure.image(left, amplitudes, rows.count, found.frames);
    figure.frequencies(left, high);
    figure.times(left, lesson.excerpt.start, lesson.excerpt.start + (found.frames * HOP) / lesson.excerpt.rate);
    figure.caption(left, t('learn.caption_amplitude'));
    figure.caption(right, t('learn.caption_db'));
    const above = rows.levels.reduce((count, db) => count + Number(db > top - depth), 0) / rows.levels.length;
    return { db: formatNumber(depth), ratio: formatNumber(amplitudeRatio(depth), depth < 40 ? 1 : 0), share: formatPercent(above, 1) };
  },

  open: (_, { depth }) => ({ top_db: depth }),
};
