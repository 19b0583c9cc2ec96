// Step: mel and the ear.

import { formatHz, formatNumber, t } from '../../../lib/i18n.js';
import { hzToMel } from '../../../lib/frequency_axis.js';
import { filterWeight, melFilters } from '../formulas.js';
import { limits, meanSpectrum } from '../figure.js';

const [SIZE, HOP, SHOWN_DB, MOST_HZ, HALVES] = [2048, 1024, 80, 11_025, 12];

export default {
  name: 'mel',
  tab: 'mel',
  sliders: {
    filters: { min: 4, max: 64, step: 1, value: 16, text: (count) => formatNumber(count) },
    pitch: { // in twelfths of an octave above 55 Hz, as keys of a piano
      min: 0, max: 91, step: 1, value: 50, text: (keys) => formatHz(55 * 2 ** (keys / HALVES)),
    },
  },

  draw(lesson, { filters: count, pitch }) {
    const { figure, excerpt } = lesson;
    const high = Math.min(MOST_HZ, excerpt.rate / 2);
    const hz = Math.min(55 * 2 ** (pitch / HALVES), high);
    const filters = melFilters(count, 0, high);
    const levels = meanSpectrum(lesson.spectrogram(SIZE, HOP)).slice(0, Math.floor((high * SIZE) / excerpt.rate) + 1);
    const { top } = limits(levels);
    const area = figure.panel();
    figure.bars(area, levels.map((db) => 1 + (db - top) / SHOWN_DB), () => figure.line, 0);
    const best = filters.reduce((chosen, filter, i) => (filterWeight(filter, hz) > filterWeight(filters[chosen], hz) ? i : chosen), 0);
    filters.forEach((filter, i) => {
      const points = [[filter.low, 0], [filter.centre, 0.96], [filter.high, 0]];
      figure.path(area, points.map(([at, share]) => [(at / high) * area.width, share]), i === best ? figure.accent : figure.faint, i === best ? 2.5 : 1);
    });
    figure.path(area, [[(hz / high) * area.width, 0], [(hz / high) * area.width, 1]], figure.ink, 1, [4, 3]);
    figure.horizontal(area, 0, high, t('page.unit_hz'));
    figure.vertical(area, -SHOWN_DB, 0, t('page.unit_db'));
    return {
      hz: formatNumber(hz), mel: formatNumber(hzToMel(hz, 'htk')), band: formatNumber(best + 1), count: formatNumber(count),
      width: formatNumber(filters[best].high - filters[best].low),
    };
  },

  open: ({ excerpt }, { filters }) => ({ n_mels: filters, mel_scale: 'htk', fmin: 0, fmax: Math.min(MOST_HZ, excerpt.rate / 2) }),
};
