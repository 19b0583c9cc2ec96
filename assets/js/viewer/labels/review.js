// Review of the network's segments under a plot: accept, correct or refuse the chosen one, by keys or buttons.

import { labelName } from '../../core/detections.js';
import { review, verdictOn } from '../../core/labels.js';
import { element, find } from '../../lib/dom.js';
import { formatMoment, formatPercent, t } from '../../lib/i18n.js';
import { latin } from '../shortcuts.js';
import { askName } from './name_field.js';

const ACTIONS = { a: 'accept', n: 'correct', r: 'refuse' };

/** The row of buttons for the chosen segment of the lanes. */
export class Review {
  /** @type {import('../../core/detections.js').Segment | null} */
  segment = null;

  /**
   * @param {any} viewer
   * @param {(by: number) => void} step choose the segment before or after this one
   */
  constructor(viewer, step) {
    this.viewer = viewer;
    this.step = step;
    this.root = element('<div class="sg-review" role="group" data-aria="labels.review" hidden><span></span></div>');
    const add = (action, press, key = '') => {
      const button = element(`<button type="button" class="sg-tool" data-do="${action}" data-t="labels.do_${action}"></button>`);
      button.title = key ? `${t(`labels.do_${action}_hint`)} (${key.toUpperCase()})` : t(`labels.do_${action}_hint`);
      button.addEventListener('click', press);
      this.root.append(button);
    };
    add('previous', () => step(-1));
    for (const [key, action] of Object.entries(ACTIONS)) add(action, () => this.act(action), key);
    add('next', () => step(1));
  }

  /** Show the row for a segment; null hides it. */
  show(segment) {
    this.segment = segment;
    this.root.hidden = !segment;
    if (!segment) return;
    const { start, end, probability, guess, label } = segment;
    const verdict = verdictOn(segment);
    const text = t('labels.reviewed', {
      what: labelName(label, guess), start: formatMoment(start), end: formatMoment(end), probability: formatPercent(probability),
    });
    find(this.root, 'span').textContent = verdict ? `${text} · ${t(`labels.verdict_${verdict}`)}` : text;
    for (const button of this.root.querySelectorAll('[data-do]')) {
      const given = { accept: 'accepted', correct: 'corrected', refuse: 'refused' }[button.dataset.do];
      if (given) button.setAttribute('aria-pressed', String(given === verdict));
    }
  }

  /** Act on a key, if it is one of the review's; return whether it is. */
  onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return false;
    const action = ACTIONS[latin(event) || event.key.toLowerCase()];
    if (action) this.act(action);
    return Boolean(action);
  }

  act(action) {
    const { segment } = this;
    if (!segment) return;
    const own = segment.guess ?? segment.label;
    if (action === 'correct') askName(this.viewer, segment, own, (name) => review(segment, name));
    else {
      review(segment, action === 'accept' ? own : null);
      this.step(1);
    }
  }
}
