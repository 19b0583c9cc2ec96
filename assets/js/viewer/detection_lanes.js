// A strip under each picture: what was heard when, on the picture's own time axis. Classes that overlap lie in lanes.

import { audio, events, onPlayhead, state } from '../core/state.js';
import { element } from '../lib/dom.js';
import { messagesReady, t } from '../lib/i18n.js';
import { detections, hueOf, labelName, playInterval, describeSegment } from '../core/detections.js';
import { deferWhilePressed } from '../widgets/defer_while_pressed.js';
import { extend } from './viewer.js';

const SLIVER_PX = 3; // the least that is drawn of a segment
const LABEL_PX = 30; // a name with less room is no more than a letter; the tip says it

class Lanes {
  constructor(viewer) {
    this.viewer = viewer;
    this.root = element('<div class="sg-lanes" role="listbox" hidden><div class="sg-lanes-head"></div></div>');
    this.root.setAttribute('aria-label', t('timeline.strip_label'));
    this.head = this.root.firstChild;
    viewer.below.append(this.root);
    this.marks = [];
    this.chosen = 0;
    this.renew = deferWhilePressed(this.root, () => { this.build(); this.place(); });
    events.addEventListener('detections', () => { this.stale = true; this.refresh(); });
    events.addEventListener('visible', () => this.refresh());
    new ResizeObserver(() => this.refresh()).observe(viewer.plot); // also when its tab is opened
    onPlayhead(() => this.placeHead());
    this.root.addEventListener('click', (event) => this.play(event.target.closest('.sg-mark')));
    this.root.addEventListener('keydown', (event) => this.onKey(event));
    this.stale = true;
    this.refresh();
  }

  /** Draw anew, if the picture is on screen. */
  refresh() {
    if (!this.viewer.visible()) return;
    if (this.stale) this.renew();
    else this.place();
  }

  build() {
    this.stale = false;
    const { timeline } = detections;
    const stretches = timeline ? [...timeline.segments, ...timeline.doubts].sort((one, other) => one.start - other.start) : [];
    this.root.hidden = !stretches.length && !timeline?.silences.length;
    if (this.root.hidden) return;
    const focused = this.root.contains(document.activeElement);
    const lanes = inLanes(stretches);
    this.root.style.setProperty('--sg-lanes', Math.max(1, ...lanes.map((lane) => lane + 1)));
    const silent = timeline.silences.map((stretch) => ({ stretch, node: quiet() }));
    this.marks = stretches.map((stretch, index) => ({ stretch, node: mark(stretch, lanes[index], index) }));
    this.all = [...silent, ...this.marks];
    this.root.replaceChildren(this.head, ...this.all.map(({ node }) => node));
    this.choose(Math.min(this.chosen, this.marks.length - 1), focused);
  }

  place() {
    if (this.root.hidden || !this.root.clientWidth) return;
    const { start: from, end: to } = state.visible;
    const width = this.root.clientWidth;
    const x = (time) => ((time - from) / (to - from)) * width;
    for (const { stretch, node } of this.all) {
      const [left, right] = [Math.max(0, x(stretch.start)), Math.min(width, x(stretch.end))];
      node.hidden = right <= 0 || left >= width;
      node.style.left = `${left}px`;
      node.style.width = `${Math.max(SLIVER_PX, right - left - 1)}px`;
      node.firstChild.hidden = right - left < LABEL_PX;
    }
    this.placeHead();
  }

  placeHead() {
    if (this.root.hidden || !this.viewer.visible()) return;
    const { start, end } = state.visible;
    const share = (audio.currentTime - start) / (end - start);
    this.head.hidden = share < 0 || share > 1;
    this.head.style.left = `${100 * share}%`;
  }

  play(node) {
    const index = this.marks.findIndex((one) => one.node === node);
    if (index < 0) return;
    this.choose(index, false);
    this.marks.forEach((one, at) => one.node.setAttribute('aria-selected', String(at === index)));
    playInterval(this.marks[index].stretch);
  }

  choose(index, focus) {
    this.chosen = Math.max(0, index);
    this.marks.forEach(({ node }, at) => { node.tabIndex = at === this.chosen ? 0 : -1; });
    if (focus) this.marks[this.chosen]?.node.focus({ preventScroll: true });
  }

  onKey(event) {
    const by = { ArrowLeft: -1, ArrowRight: 1, Home: -this.marks.length, End: this.marks.length }[event.key];
    if (event.key === 'Enter' || event.key === ' ') this.play(event.target.closest('.sg-mark'));
    else if (by) this.choose(Math.min(this.marks.length - 1, Math.max(0, this.chosen + by)), true);
    else return;
    event.preventDefault();
    event.stopPropagation(); // the picture's own keys mean something else
  }
}

function mark(segment, lane, index) {
  const node = element('<div class="sg-mark" role="option" aria-selected="false"><span></span></div>');
  node.classList.toggle('sg-doubt', Boolean(segment.guess));
  node.firstChild.textContent = segment.guess ? t('timeline.uncertain_guess', { what: labelName(segment.guess) }) : labelName(segment.label);
  if (!segment.guess) node.style.setProperty('--sg-hue', hueOf(segment.label));
  node.style.setProperty('--sg-lane', lane);
  Object.assign(node.dataset, { label: segment.label, index });
  node.title = describeSegment(segment);
  node.setAttribute('aria-label', node.title);
  return node;
}

function quiet() {
  const node = element('<div class="sg-quiet"><span></span></div>');
  node.firstChild.textContent = t('page.silence');
  return node;
}

/** For each segment, in the order of time, the first lane that is free when it begins. */
function inLanes(segments) {
  const ends = [];
  return segments.map(({ start, end }) => {
    const free = ends.findIndex((last) => last <= start + 1e-6);
    const lane = free < 0 ? ends.length : free;
    ends[lane] = end;
    return lane;
  });
}

messagesReady.then(() => extend((viewer) => { new Lanes(viewer); }));
