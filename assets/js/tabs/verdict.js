// The prediction for a clip: a class, an uncertain one, none of the known ones, or silence, with the most likely classes.

import { answerName } from '../core/network.js';
import { emit } from '../core/state.js';
import { element, find, textElement } from '../lib/dom.js';
import { className, formatPercent, t } from '../lib/i18n.js';

/** The name of the list of classes. */
export function listName(reply, known) {
  return t(known ? 'classify.probabilities' : 'classify.nearest', { top: reply.top.length, count: reply.count });
}

/** The verdict of a reply with classes: 'known', 'unsure' or 'unknown'. */
export function verdictState({ verdict, top }) {
  return verdict === top[0][0] ? 'known' : verdict;
}

/** The verdict of a reply with classes, in words. */
export function verdictText(reply) {
  const [state, what] = [verdictState(reply), className(reply.top[0][0])];
  return state === 'known' ? what : t(state === 'unsure' ? 'classify.unsure' : 'classify.unknown', { ...reply, what });
}

/** Why the verdict is no class, in words. */
export function verdictReason(reply) {
  return t(verdictState(reply) === 'unsure' ? 'classify.unsure_why' : 'classify.unknown_why');
}

/** Return the box for a reply of the server, or for those of two networks one after the other. */
export function predictionBox(reply) {
  if (!reply.second) return answerBox(reply, false);
  const both = element('<div class="sg-both"></div>');
  both.append(...[reply, reply.second].map((one, second) => {
    const box = answerBox(one, Boolean(second));
    box.prepend(textElement('h3', answerName(Boolean(second))));
    return box;
  }), textElement('p', t('teach.two_scales'), 'sg-small'));
  return both;
}

/** @param {any} reply
 * @param {boolean} second whether it is the second network's
 */
function answerBox(reply, second) {
  const box = element('<div class="sg-verdict"></div>');
  box.toggleAttribute('data-second', second);
  const add = (text, kind = '') => box.append(textElement('p', text, kind));
  if (!reply.top.length) {
    add(t('page.silence'), 'sg-big');
    add(t('classify.silence', reply));
    return box;
  }
  const state = box.dataset.state = verdictState(reply);
  const known = state === 'known';
  if (known) add(t('classify.most_like'));
  add(verdictText(reply), 'sg-big');
  if (!known) add(verdictReason(reply));
  box.append(mostLikely(reply, known, second));
  const numbers = reply.taught ? 'taught' : reply.calibrated ? 'calibrated' : 'plain';
  add(t(`classify.numbers_${numbers}`, reply), 'sg-small');
  return box;
}

/** The most likely classes as bars, grey where none is meant; a click requests the saliency map of a class. */
function mostLikely(reply, known, second) {
  const list = element('<ol class="sg-bars"></ol>');
  list.toggleAttribute('data-guesses', !known);
  list.setAttribute('aria-label', listName(reply, known));
  for (const [label, probability] of reply.top) {
    const row = element('<li><button type="button"><span></span><i><b></b></i><output></output></button></li>');
    row.dataset.label = label;
    find(row, 'span').textContent = className(label);
    find(row, 'b').style.width = `${(100 * probability).toFixed(1)}%`;
    find(row, 'output').textContent = formatPercent(probability, 1);
    row.firstChild.title = t('saliency.ask', { name: className(label) });
    row.firstChild.addEventListener('click', () => emit('explain', { label, start: reply.start, end: reply.end, second }));
    list.append(row);
  }
  return list;
}
