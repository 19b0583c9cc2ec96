// Step: what accuracy and confidence mean, and where the network fails.

import { textElement } from '../../../lib/dom.js';
import { className, formatNumber, formatPercent, t, texts } from '../../../lib/i18n.js';
import { confidentClips } from '../formulas.js';

const WORST = 3;

/** Sentences on where the network fails, from its own figures. */
function failures({ figures: { held_out: held, unknown }, robustness }) {
  const sentences = [];
  const hardest = Object.entries(held.recall).sort((a, b) => a[1] - b[1]).slice(0, WORST);
  sentences.push(t('learn.fails_classes', { list: hardest.map(([label, share]) => `${className(label)} ${formatPercent(share)}`).join(', ') }));
  const [pair] = held.confused ?? [];
  if (pair) sentences.push(t('learn.fails_pair', { real: className(pair.true), guess: className(pair.guess), clips: formatNumber(pair.clips) }));
  const recorded = unknown?.kinds.find((kind) => kind.name === 'recorded') ?? unknown?.kinds.at(-1);
  if (recorded) sentences.push(t('learn.fails_unknown', { share: formatPercent(1 - recorded.refused - recorded.unsure) }));
  const [worst] = Object.entries(robustness?.accuracy ?? {}).sort((a, b) => a[1] - b[1]);
  if (worst) {
    const key = `about_model.distortion_${worst[0].replace(/\W/g, '_')}`;
    sentences.push(t('learn.fails_distorted', { kind: texts.messages[key] ?? worst[0], share: formatPercent(worst[1]) }));
  }
  return sentences;
}

export default {
  name: 'accuracy',
  tab: 'about',
  needs: ['facts'],
  measured: ({ figures }) => Boolean(figures.held_out), // else a line says how to measure
  sliders: { limit: { min: 0, max: 14, step: 1, value: 7, text: (bin) => formatPercent(bin / 15) } },

  draw({ figure, facts }, { limit }) {
    const { reliability, clips } = facts.figures.held_out;
    const area = figure.panel();
    figure.vertical(area, 0, 1, t('about_model.right'));
    figure.horizontal(area, 0, 1, t('about_model.confidence'));
    figure.bars(area, reliability.map(({ accuracy }) => accuracy ?? 0), (i) => (i < limit ? figure.line : figure.accent), 2);
    figure.path(area, [[0, 0], [area.width, 1]], figure.ink, 1.2, [4, 4]);
    const said = confidentClips(reliability, limit);
    return {
      limit: formatPercent(limit / reliability.length), said: formatNumber(said.clips), clips: formatNumber(clips),
      right: said.accuracy === null ? '—' : formatPercent(said.accuracy, 1), rest: formatNumber(clips - said.clips),
    };
  },

  values({ facts: { figures: { held_out: held } } }) {
    return {
      clips: formatNumber(held.clips), accuracy: formatNumber(held.accuracy, 2), wrong: formatPercent(1 - held.accuracy, 1),
      margin: formatNumber(196 * Math.sqrt((held.accuracy * (1 - held.accuracy)) / held.clips), 1),
    };
  },

  extra: ({ facts }) => failures(facts).map((sentence) => textElement('p', sentence)),

  open: () => ({}),
};
