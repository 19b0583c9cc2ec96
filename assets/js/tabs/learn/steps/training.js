// Step: how the network was trained: folds, augmentation on this sound, curves.

import { lines } from '../../../lib/charts.js';
import { element, stem, textElement } from '../../../lib/dom.js';
import { className, formatNumber, formatPercent, t } from '../../../lib/i18n.js';
import { bytes, limits, rowsOf, rowsUpTo } from '../figure.js';
import { masks, mixedLevels, spectrogram } from '../formulas.js';

const [SIZE, HOP, SHOWN_DB] = [1024, 512, 80];
const [SHARE, COUNT] = [0.12, 2]; // of masks, where the checkpoint does not tell its own

/** The folds as boxes: trained on, or held out. */
function folds({ made: { train_folds: trained, valid_fold: held } }) {
  const row = element('<p class="sg-folds"></p>');
  for (const fold of [...new Set([...trained ?? [], held])].filter((one) => one !== null).sort()) {
    const kind = fold === held ? 'held' : 'trained';
    row.append(textElement('span', t(`learn.fold_${kind}`, { fold }), `sg-fold sg-fold-${kind}`));
  }
  return row;
}

function curves({ epoch, ...history }) {
  const series = ['train', 'valid'].map((part) => [part, epoch.map((one, i) => [one, history[`${part}_loss`][i]])]);
  const drawn = series.filter(([, points]) => points.some(([, y]) => y !== null));
  return lines(t('learn.curve'), t('about_model.epoch'), t('about_model.loss'), drawn);
}

export default {
  name: 'training',
  tab: 'about',
  needs: ['excerpt', 'other', 'facts'],
  sliders: {
    mix: { min: 0.5, max: 1, step: 0.05, value: 0.7, text: (share) => formatPercent(share) },
    draw: { min: 1, max: 30, step: 1, value: 1, text: (seed) => formatNumber(seed) },
  },

  draw({ figure, excerpt, other, facts, spectrogram: own }, { mix, draw: seed }) {
    const found = own(SIZE, HOP);
    const second = spectrogram(other.samples, SIZE, HOP);
    const { rows, high } = rowsUpTo(found, excerpt.rate);
    const theirs = rowsOf(second, rows.count);
    const lasts = (i) => Math.floor(i / found.frames) * second.frames + ((i % found.frames) % second.frames); // it begins again
    const mixed = mixedLevels(rows.levels, rows.levels.map((_, i) => theirs[lasts(i)]), mix);
    const { top } = limits(mixed);
    const levels = bytes(mixed, top - SHOWN_DB, top);
    const plan = facts.augmentation ?? {};
    const across = masks(plan.time_masks ?? COUNT, plan.time_mask_share ?? SHARE, seed);
    const upward = masks(plan.freq_masks ?? COUNT, plan.freq_mask_share ?? SHARE, seed + 1000);
    const mean = levels.reduce((sum, level) => sum + level, 0) / levels.length;
    const inside = (intervals, share) => intervals.some(([from, to]) => share >= from && share < to);
    let masked = 0;
    levels.forEach((_, i) => {
      const [row, column] = [Math.floor(i / found.frames) / rows.count, (i % found.frames) / found.frames];
      if (!inside(upward, row) && !inside(across, column)) return;
      levels[i] = mean;
      masked += 1;
    });
    const area = figure.panel();
    figure.image(area, levels, rows.count, found.frames);
    figure.frequencies(area, high);
    figure.times(area, excerpt.start, excerpt.start + (found.frames * HOP) / excerpt.rate);
    return {
      own: formatPercent(mix), rest: formatPercent(1 - mix), name: className(stem(other.name)),
      masked: formatPercent(masked / levels.length, 1),
    };
  },

  text: ({ facts }) => (facts.made.train_folds && facts.figures.history ? null : 'learn.unknown_training'),

  values({ facts }) {
    const { made, figures: { held_out: held, history } } = facts;
    const trained = history?.train_accuracy.at(-1);
    return {
      trained: made.train_folds?.join(', ') ?? '—', held: made.valid_fold ?? '—', epochs: made.epoch ?? '—',
      low: trained ? formatPercent(trained) : '—', high: held ? formatPercent(held.accuracy) : '—',
    };
  },

  extra({ facts }) {
    const { history } = facts.figures;
    return [folds(facts), ...history ? [textElement('p', t('learn.curve'), 'sg-small'), curves(history)] : []];
  },

  open: () => ({}),
};
