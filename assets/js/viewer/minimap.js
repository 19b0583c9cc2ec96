// The whole sound under each viewer's plot: its envelope, what is shown as a frame to move and to resize, the selection
// and the play head.

import { events, onPlayhead, show, state } from '../core/state.js';
import { decodeBase64, element } from '../lib/dom.js';
import { formatTime, t } from '../lib/i18n.js';
import { drawEnvelope } from '../lib/thumbnails.js';
import { extend } from './viewer.js';

const HANDLE_PX = 9;
const MOVED_PX = 3;
const LEAST_PX = 14; // the frame is drawn no narrower than this, so that it can be grasped

extend((viewer) => { viewer.below.append(minimap()); });

/** A minimap; all of them show the same. */
export function minimap() {
  const root = element(`<div class="sg-minimap" data-empty="true">
    <canvas aria-hidden="true"></canvas><i class="sg-mini-selection" hidden></i><i class="sg-mini-head" hidden></i>
    <div class="sg-mini-frame" tabindex="0" role="slider" aria-valuemin="0" aria-valuemax="0" aria-valuenow="0"></div></div>`);
  const [canvas, frame] = [root.querySelector('canvas'), root.querySelector('.sg-mini-frame')];
  root.title = t('viewer_toolbar.minimap_hint');
  frame.setAttribute('aria-label', t('viewer_toolbar.minimap'));
  let envelope = null;
  const draw = () => { if (envelope) drawEnvelope(canvas, envelope); };
  const update = () => { if (state.sound) place(root, frame); };
  const open = () => {
    root.dataset.empty = 'false';
    envelope = new Int8Array(decodeBase64(state.sound.envelope).buffer);
    draw();
    update();
  };
  if (state.sound) open(); // in a tab that is opened late
  events.addEventListener('sound', open);
  for (const name of ['visible', 'selection']) events.addEventListener(name, update);
  new ResizeObserver(() => {
    draw();
    update();
  }).observe(root);
  new MutationObserver(draw).observe(document.body, { attributes: true, attributeFilter: ['class'] }); // the theme
  onPlayhead((now) => {
    const head = root.querySelector('.sg-mini-head');
    head.hidden = !state.sound;
    if (state.sound) head.style.left = share(now);
  });
  wire(root, frame);
  return root;
}

const share = (time) => `${Math.min(100, (100 * time) / state.sound.seconds)}%`;

function place(root, frame) {
  const { start, end } = state.visible;
  const { seconds } = state.sound;
  const [left, right] = ends(root);
  frame.style.left = `${left}px`;
  frame.style.width = `${right - left}px`;
  frame.toggleAttribute('data-all', end - start >= seconds * 0.9999);
  frame.setAttribute('aria-valuemax', seconds.toFixed(3));
  frame.setAttribute('aria-valuenow', start.toFixed(3));
  frame.setAttribute('aria-valuetext', t('viewer_toolbar.minimap_shown', { start: formatTime(start), end: formatTime(end), all: formatTime(seconds) }));
  const selected = root.querySelector('.sg-mini-selection');
  selected.hidden = !state.selection;
  if (!state.selection) return;
  selected.style.left = share(state.selection.start);
  selected.style.width = `${(100 * (state.selection.end - state.selection.start)) / seconds}%`;
}

/** Where the frame's edges are drawn, in CSS pixels. */
function ends(root) {
  const { width } = root.getBoundingClientRect();
  const [left, right] = [state.visible.start, state.visible.end].map((time) => (time / state.sound.seconds) * width);
  const spare = Math.max(0, LEAST_PX - (right - left)) / 2;
  return [Math.max(0, left - spare), Math.min(width, right + spare)];
}

function wire(root, frame) {
  let drag = null;
  const at = (event) => event.clientX - root.getBoundingClientRect().left;
  const time = (x) => (x / root.getBoundingClientRect().width) * state.sound.seconds;
  root.addEventListener('pointerdown', (event) => {
    if (!state.sound || event.button) return;
    const x = at(event);
    drag = { x, shown: { ...state.visible }, how: grip(root, x), moved: false };
    root.setPointerCapture(event.pointerId);
  });
  root.addEventListener('pointermove', (event) => {
    const x = at(event);
    if (!drag) {
      root.dataset.grip = state.sound ? grip(root, x) : '';
      return;
    }
    drag.moved ||= Math.abs(x - drag.x) > MOVED_PX;
    if (drag.moved) pull(drag, time(drag.x), time(x));
  });
  root.addEventListener('pointerup', () => {
    if (drag && !drag.moved && ['draw', 'move'].includes(drag.how)) { // a click: look there
      const half = (drag.shown.end - drag.shown.start) / 2;
      show(time(drag.x) - half, time(drag.x) + half);
    }
    drag = null;
    frame.focus({ preventScroll: true });
  });
  root.addEventListener('pointercancel', () => { drag = null; });
  root.addEventListener('dblclick', () => state.sound && show(0, state.sound.seconds));
  frame.addEventListener('keydown', (event) => {
    if (!state.sound) return;
    const { start, end } = state.visible;
    const span = end - start;
    const moves = { ArrowLeft: -0.1, ArrowRight: 0.1, PageUp: -1, PageDown: 1 };
    const widths = { ArrowUp: 0.5, ArrowDown: 2, '+': 0.5, '=': 0.5, '-': 2 };
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    if (moves[event.key]) show(start + moves[event.key] * span, end + moves[event.key] * span);
    else if (widths[event.key]) show(start + (span * (1 - widths[event.key])) / 2, end - (span * (1 - widths[event.key])) / 2);
    else if (event.key === 'Home') show(0, span);
    else if (event.key === 'End') show(state.sound.seconds - span, state.sound.seconds);
    else return;
    event.preventDefault();
  });
}

/** What a press at a place takes hold of: an edge of the frame, the frame, or nothing, to draw another. */
function grip(root, x) {
  const [left, right] = ends(root);
  const all = state.visible.end - state.visible.start >= state.sound.seconds * 0.9999;
  if (!all && Math.abs(x - right) <= HANDLE_PX) return 'end';
  if (!all && Math.abs(x - left) <= HANDLE_PX) return 'start';
  return !all && x > left && x < right ? 'move' : 'draw';
}

function pull({ shown: { start, end }, how }, from, now) {
  const by = now - from;
  if (how === 'move') show(start + by, end + by);
  else if (how === 'start') show(Math.min(start + by, end - 0.01), end);
  else if (how === 'end') show(start, Math.max(end + by, start + 0.01));
  else show(Math.min(from, now), Math.max(from, now));
}
