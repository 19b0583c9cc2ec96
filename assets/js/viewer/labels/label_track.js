// The labels under each plot, on its time axis, as marks with edges to drag; and as boxes on plots with a frequency axis.

import { state } from '../../core/state.js';
import { chooseLabel, changeLabel, labels, removeLabel } from '../../core/labels.js';
import '../../core/label_store.js';
import { nameColour, paintClass } from '../../core/detections.js';
import { element, onResize } from '../../lib/dom.js';
import { formatMoment, isTouch, t } from '../../lib/i18n.js';
import { deferWhilePressed } from '../../widgets/defer_while_pressed.js';
import { lanesOf } from '../lanes.js';
import { latin, shortcut } from '../shortcuts.js';
import { nameSelection, playLabel, renameLabel, snapSelection } from './label_actions.js';
import { shownName } from './names.js';

const MOST_MARKS = 300; // more can't be distinguished
const MOST_LANES = 6;
const EDGE_PX = 7;
const LEAST_PX = 4;

export function labelTrack(viewer) {
  const track = new Track(viewer);
  const key = (label, run) => shortcut(label, 'labels', run);
  return {
    overlay: (context) => track.drawBoxes(context),
    click: (at) => track.chooseAt(at),
    loaded: () => viewer.drawOverlay(),
    keys: {
      Enter: key('labels.key_name', () => nameSelection(viewer)),
      n: key('labels.key_name', () => nameSelection(viewer)),
      g: key('labels.key_snap', () => snapSelection(viewer)),
      Delete: key('labels.key_delete', () => { if (labels.chosen !== null) removeLabel(labels.chosen); }),
    },
  };
}

/** @type {{list?: readonly any[], visible?: any, found?: any[]}} of the last call: overlays are drawn at each move of a pointer */
let last = {};

/** Of a sound's labels, those that are visible, in order of time. */
function visibleLabels() {
  const { now: { list } } = labels;
  const { visible } = state;
  if (last.list !== list || last.visible !== visible) {
    const { start, end } = visible;
    const found = list.filter((label) => label.end >= start && label.start <= end).sort((a, b) => a.start - b.start);
    last = { list, visible, found };
  }
  return last.found;
}

class Track {
  marks = []; // { label, node }

  constructor(viewer) {
    this.viewer = viewer;
    this.root = element(`<div class="sg-label-track" role="listbox" data-aria="labels.track" hidden></div>`);
    this.more = element('<p class="sg-small sg-label-more" hidden></p>');
    viewer.below.append(this.root, this.more);
    if (isTouch()) viewer.below.append(this.touchTools()); // the list with its buttons is far below
    this.renew = deferWhilePressed(this.root, () => this.draw(), viewer.signal);
    viewer.onState('labels label_chosen visible sound', () => this.refresh());
    onResize(viewer.plot, () => this.refresh(), viewer.signal);
    this.root.addEventListener('pointerdown', (event) => this.press(event));
    this.root.addEventListener('pointermove', (event) => this.hover(event));
    this.root.addEventListener('click', ({ target, detail }) => { // of a screen reader, without a pointer
      const held = this.at(target.closest('.sg-mark'));
      if (held && !detail) playLabel(held.label);
    });
    this.root.addEventListener('keydown', (event) => this.onKey(event));
    this.refresh();
  }

  /** Buttons for the selection, next to the plot. */
  touchTools() {
    const box = element(`<div class="sg-touch-tools" role="group" data-aria="labels.title" hidden>
      <button type="button" class="sg-tool" data-do="name_it"></button>
      <button type="button" class="sg-tool" data-do="snap" data-t="labels.do_snap"></button></div>`);
    const [name, snap] = box.children;
    name.addEventListener('click', () => nameSelection(this.viewer));
    snap.addEventListener('click', () => snapSelection(this.viewer));
    const show = () => {
      box.hidden = !state.selection;
      name.textContent = t(labels.chosen === null ? 'labels.do_name_it' : 'labels.do_rename');
    };
    this.viewer.onState('selection label_chosen labels', show);
    show();
    return box;
  }

  refresh() {
    if (!this.viewer.onScreen) return;
    this.renew();
    this.viewer.drawOverlay();
  }

  draw() {
    const shown = state.sound ? visibleLabels() : [];
    this.root.hidden = !labels.now.list.length;
    const lanes = lanesOf(shown, MOST_LANES);
    const placed = shown.map((label, i) => ({ label, lane: lanes[i] })).filter(({ lane }) => lane !== null);
    const focused = this.root.contains(document.activeElement);
    this.marks = placed.slice(0, MOST_MARKS).map(({ label, lane }) => ({ label, node: mark(label, lane) }));
    this.root.style.setProperty('--sg-lanes', String(1 + Math.max(0, ...placed.map(({ lane }) => lane))));
    this.root.replaceChildren(...this.marks.map(({ node }) => node));
    const hidden = shown.length - this.marks.length;
    this.more.hidden = !hidden;
    this.more.textContent = hidden ? t('labels.more', { count: hidden }) : '';
    const stop = this.marks.find(({ label }) => label.id === labels.chosen) ?? this.marks[0];
    if (stop) stop.node.tabIndex = 0;
    if (stop && focused) stop.node.focus({ preventScroll: true });
    this.layOut();
  }

  layOut() {
    const width = this.root.clientWidth;
    if (!width) return;
    const { start: from, end: to } = state.visible;
    const x = (time) => ((time - from) / (to - from)) * width;
    for (const { label, node } of this.marks) {
      const [left, right] = [Math.max(0, x(label.start)), Math.min(width, x(label.end))];
      node.style.left = `${Math.min(left, width - LEAST_PX)}px`;
      node.style.width = `${Math.max(LEAST_PX, right - left - 1)}px`;
    }
  }

  at(node) {
    return this.marks.find((one) => one.node === node);
  }

  /** The edge of a mark that a pointer would drag. */
  edgeOf({ target, clientX, pointerType }) {
    const node = target.closest('.sg-mark');
    if (!node) return null;
    const { left, right } = node.getBoundingClientRect();
    const near = Math.min(pointerType === 'touch' ? 2 * EDGE_PX : EDGE_PX, (right - left) / 3);
    return clientX - left <= near ? 'start' : right - clientX <= near ? 'end' : null;
  }

  hover(event) {
    if (!event.buttons) this.root.toggleAttribute('data-edge', Boolean(this.edgeOf(event)));
  }

  /** A press on a mark: drag one of its edges, or choose and play it. */
  press(event) {
    const node = event.target.closest('.sg-mark');
    const pressed = this.at(node);
    if (!pressed || event.button) return;
    const { label } = pressed;
    const edge = this.edgeOf(event);
    const ended = new AbortController();
    let dragged = false;
    node.setPointerCapture(event.pointerId);
    node.addEventListener('pointermove', ({ clientX }) => {
      if (!edge || (!dragged && Math.abs(clientX - event.clientX) < 3)) return;
      if (!dragged) chooseLabel(label.id);
      dragged = true;
      const { left, width } = this.root.getBoundingClientRect();
      const { start, end } = state.visible;
      const time = start + ((clientX - left) / width) * (end - start);
      const inside = Math.min(Math.max(0, time), state.sound.seconds);
      const value = edge === 'start' ? Math.min(inside, label.end) : Math.max(inside, label.start);
      changeLabel(label.id, { [edge]: value }, 'edge');
      pressed.label = labels.now.list.find(({ id }) => id === label.id);
      this.layOut();
    }, { signal: ended.signal });
    for (const name of ['pointerup', 'pointercancel']) {
      node.addEventListener(name, () => {
        ended.abort();
        if (dragged) chooseLabel(label.id); // the selection follows
        else if (name === 'pointerup') playLabel(label);
      }, { signal: ended.signal });
    }
  }

  onKey(event) {
    const held = this.at(event.target.closest('.sg-mark'));
    if (!held || event.ctrlKey || event.metaKey || event.altKey) return;
    const by = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity }[event.key];
    if (by) this.step(held, by);
    else if (event.key === 'Enter' || event.key === ' ') playLabel(held.label);
    else if ([event.key, latin(event)].some((key) => ['n', 'F2'].includes(key))) renameLabel(this.viewer, held.label);
    else if (event.key === 'Delete' || event.key === 'Backspace') removeLabel(held.label.id);
    else return;
    event.preventDefault();
    event.stopPropagation(); // the viewer has other shortcuts on these keys
  }

  step(held, by) {
    const to = Math.min(this.marks.length - 1, Math.max(0, this.marks.indexOf(held) + by));
    chooseLabel(this.marks[to].label.id);
  }

  /** Draw the labels that have frequencies, but for the chosen one, which is the selection. */
  drawBoxes(context) {
    const { viewer } = this;
    if (!viewer.pitched || !labels.now.list.length) return;
    context.font = '600 11px system-ui, sans-serif';
    for (const label of visibleLabels().filter(({ low_hz: low }) => low !== null).slice(0, MOST_MARKS)) {
      if (label.id === labels.chosen) continue;
      const [x0, x1, y0, y1] = [viewer.xOf(label.start), viewer.xOf(label.end), viewer.yOf(label.high_hz), viewer.yOf(label.low_hz)];
      for (const [colour, width] of [['rgb(0 0 0 / 70%)', 3], [nameColour(label.name), 1.5]]) { // visible on any image
        context.strokeStyle = colour;
        context.lineWidth = Number(width);
        context.strokeRect(x0, y0, x1 - x0, y1 - y0);
      }
      const name = shownName(label.name);
      if (context.measureText(name).width + 8 > x1 - x0) continue;
      context.fillStyle = 'rgb(0 0 0 / 65%)';
      context.fillRect(x0 + 1, y0 + 1, context.measureText(name).width + 8, 15);
      context.fillStyle = '#fff';
      context.fillText(name, x0 + 5, y0 + 12);
    }
  }

  /** Choose the smallest box at a click on the plot. */
  chooseAt({ x, y }) {
    const { viewer } = this;
    if (!viewer.pitched || !labels.now.list.length) return;
    const [time, hz] = [viewer.timeAt(x), viewer.hzAt(y)];
    const [hit] = visibleLabels().filter(({ start, end, low_hz: low, high_hz: high }) => (
      low !== null && start <= time && time <= end && low <= hz && hz <= high
    )).sort((a, b) => (a.end - a.start) * (a.high_hz - a.low_hz) - (b.end - b.start) * (b.high_hz - b.low_hz));
    if (hit) chooseLabel(hit.id);
  }
}

function mark(label, lane) {
  const node = element('<div class="sg-mark" role="option" tabindex="-1"><span></span></div>');
  node.firstChild.textContent = shownName(label.name);
  node.style.setProperty('--sg-colour', nameColour(label.name));
  paintClass(node, label.name);
  node.style.setProperty('--sg-lane', lane);
  node.setAttribute('aria-selected', String(label.id === labels.chosen));
  node.title = t('labels.mark_is', { name: shownName(label.name), start: formatMoment(label.start), end: formatMoment(label.end) });
  node.setAttribute('aria-label', node.title);
  return node;
}
