// Detected segments under each plot, on its time axis; segments that overlap are stacked in lanes.

import { audio, onPlayhead, select, show, state } from '../core/state.js';
import { element, onResize, textElement } from '../lib/dom.js';
import { t } from '../lib/i18n.js';
import { describeSegment, detections, labelName, paintClass, segmentsOf } from '../core/detections.js';
import { verdictOn } from '../core/labels.js';
import { answerName } from '../core/network.js';
import { playAndAsk } from '../player/segment.js';
import { deferWhilePressed } from '../widgets/defer_while_pressed.js';
import { Review } from './labels/review.js';
import { lanesOf } from './lanes.js';

const MIN_WIDTH_PX = 3;
const NAME_MARGIN_PX = 18; // of a mark: edge, padding and gap
const LEAST_LETTERS = 4; // a name cut shorter is hidden; the tooltip has it

export function detectionLanes(viewer) {
  new Lanes(viewer);
}

class Lanes {
  marks = []; // { segment, node } of the detected ones
  chosen = 0; // the mark that has the tab stop
  stale = true; // the detections have changed since the lanes were built

  constructor(viewer) {
    this.viewer = viewer;
    this.root = element(`<div class="sg-lanes" role="listbox" data-aria="timeline.strip_label" hidden>
      <div class="sg-lanes-playhead"></div></div>`);
    this.head = this.root.firstElementChild;
    this.review = new Review(viewer, (by) => this.step(by));
    viewer.below.append(this.root, this.review.root);
    this.renew = deferWhilePressed(this.root, () => { this.build(); this.layOut(); }, viewer.signal);
    viewer.onState('detections labels', () => { this.stale = true; this.refresh(); });
    viewer.onState('sound', () => this.review.show(null));
    viewer.onState('visible', () => this.refresh());
    onResize(viewer.plot, () => this.refresh(), viewer.signal); // also when its tab is opened
    onPlayhead(() => this.moveHead(), viewer.signal);
    this.root.addEventListener('click', (event) => this.play(event.target.closest('.sg-mark')));
    this.root.addEventListener('keydown', (event) => this.onKey(event));
    this.refresh();
  }

  /** Redraw if the plot is on screen. */
  refresh() {
    if (!this.viewer.onScreen) return;
    if (this.stale) this.renew();
    else this.layOut();
  }

  build() {
    this.stale = false;
    const { timeline } = detections;
    const answers = segmentsOf(timeline).map((some) => some.sort((one, other) => one.start - other.start));
    const segments = answers.flat();
    this.root.hidden = !segments.length && !timeline?.silences.length;
    if (this.root.hidden) return this.review.show(null);
    const focused = this.root.contains(document.activeElement);
    const { lanes, firsts, count } = inLanes(answers);
    this.root.style.setProperty('--sg-lanes', count);
    const silence = () => element('<div class="sg-silence"><span data-t="page.silence"></span></div>');
    const silent = timeline.silences.map((segment) => ({ segment, node: silence() }));
    this.marks = segments.map((segment, index) => ({ segment, node: mark(segment, lanes[index]) }));
    this.all = [...silent, ...this.marks];
    const names = answers.length > 1 ? firsts.map((lane, second) => answerMark(Boolean(second), lane)) : [];
    this.root.replaceChildren(this.head, ...names, ...this.all.map(({ node }) => node));
    for (const one of this.all) one.leastWidth = leastWidth(one.node.firstChild);
    this.choose(Math.min(this.chosen, this.marks.length - 1), focused);
    const reviewed = this.marks[this.chosen];
    if (this.review.segment || focused) this.showReview(reviewed);
  }

  /** Mark a segment as the reviewed one. */
  showReview(reviewed) {
    for (const one of this.marks) one.node.setAttribute('aria-selected', String(one === reviewed));
    this.review.show(reviewed?.segment ?? null);
  }

  /** Choose the segment before or after the chosen one, and show its time. */
  step(by) {
    this.choose(Math.min(this.marks.length - 1, Math.max(0, this.chosen + by)), this.root.contains(document.activeElement));
    const reviewed = this.marks[this.chosen];
    this.showReview(reviewed);
    if (!reviewed) return;
    const { start: from, end: to } = state.visible;
    const { start, end } = reviewed.segment;
    select({ start, end });
    if (start < from || start >= to) show(start - (to - from) * 0.1, start + (to - from) * 0.9);
  }

  layOut() {
    if (this.root.hidden || !this.root.clientWidth) return;
    const { start: from, end: to } = state.visible;
    const width = this.root.clientWidth;
    const x = (time) => ((time - from) / (to - from)) * width;
    for (const { segment, node, leastWidth } of this.all) {
      const [left, right] = [Math.max(0, x(segment.start)), Math.min(width, x(segment.end))];
      node.hidden = right <= 0 || left >= width;
      node.style.left = `${left}px`;
      node.style.width = `${Math.max(MIN_WIDTH_PX, right - left - 1)}px`;
      node.firstChild.hidden = right - left < leastWidth;
    }
    this.moveHead();
  }

  moveHead() {
    if (this.root.hidden || !this.viewer.onScreen) return;
    const { start, end } = state.visible;
    const share = (audio.currentTime - start) / (end - start);
    this.head.hidden = share < 0 || share > 1;
    this.head.style.left = `${100 * share}%`;
  }

  play(node) {
    const index = this.marks.findIndex((one) => one.node === node);
    if (index < 0) return;
    this.choose(index, false);
    this.showReview(this.marks[index]);
    playAndAsk(this.marks[index].segment);
  }

  choose(index, focus) {
    this.chosen = Math.max(0, index);
    this.marks.forEach(({ node }, at) => { node.tabIndex = at === this.chosen ? 0 : -1; });
    if (focus) this.marks[this.chosen]?.node.focus({ preventScroll: true });
  }

  onKey(event) {
    const by = { ArrowLeft: -1, ArrowRight: 1, Home: -this.marks.length, End: this.marks.length }[event.key];
    if (event.key === 'Enter' || event.key === ' ') this.play(event.target.closest('.sg-mark'));
    else if (by) this.step(by);
    else if (!this.review.onKey(event)) return;
    event.preventDefault();
    event.stopPropagation(); // the viewer has other shortcuts on these keys
  }
}

function mark(segment, lane) {
  const node = element('<div class="sg-mark" role="option" aria-selected="false"><span></span></div>');
  const { guess, label } = segment;
  node.classList.toggle('sg-uncertain', Boolean(guess));
  node.firstChild.textContent = guess && label !== 'unknown' ? t('timeline.uncertain_guess', { what: labelName(guess) }) : labelName(label);
  if (!guess) paintClass(node, label);
  node.style.setProperty('--sg-lane', lane);
  node.dataset.label = label;
  const verdict = verdictOn(segment);
  if (verdict) node.dataset.verdict = verdict;
  node.title = verdict ? `${describeSegment(segment)} · ${t(`labels.verdict_${verdict}`)}` : describeSegment(segment);
  node.setAttribute('aria-label', node.title);
  return node;
}

/** The width from which a mark shows its name, whole or with an ellipsis. */
function leastWidth(name) {
  const context = document.createElement('canvas').getContext('2d');
  context.font = getComputedStyle(name).font;
  const width = (text) => context.measureText(text).width;
  const text = name.textContent;
  return NAME_MARGIN_PX + Math.min(width(text), width(`${text.slice(0, LEAST_LETTERS)}…`));
}

/** Which network the lanes from this one on are of, where two are in use. */
function answerMark(second, lane) {
  const node = textElement('span', answerName(second), 'sg-lanes-of');
  node.style.setProperty('--sg-lane', lane);
  node.toggleAttribute('data-second', second);
  return node;
}

/** The lane of each segment, in order of time; each answer has lanes of its own.
 * @returns {{lanes: number[], firsts: number[], count: number}} `firsts`: the first lane of each answer
 */
function inLanes(answers) {
  const [lanes, firsts] = [[], []];
  let count = 0;
  for (const segments of answers) {
    const [own, first] = [lanesOf(segments), count];
    firsts.push(first);
    lanes.push(...own.map((lane) => first + lane));
    count += 1 + Math.max(0, ...own);
  }
  return { lanes, firsts, count };
}
