// Minimap: the whole sound with the visible range as a frame to move and resize, the selection and the play head.

import { events, onPlayhead, show, state } from '../core/state.js';
import { decodeBase64, element, find, onResize, onThemeChange } from '../lib/dom.js';
import { formatTime, t } from '../lib/i18n.js';
import { drawEnvelope } from '../lib/thumbnails.js';
import { extend } from './viewer.js';

const HANDLE_PX = 9;
const MOVED_PX = 3;
const MIN_FRAME_PX = 14; // narrower frames are drawn this wide, so that they can be dragged
const MOVES = { ArrowLeft: -0.1, ArrowRight: 0.1, PageUp: -1, PageDown: 1 }; // by a share of the visible range
const ZOOMS = { ArrowUp: 0.5, ArrowDown: 2, '+': 0.5, '=': 0.5, '-': 2 };

extend((viewer) => { viewer.below.append(minimap(viewer.signal)); });

/** Build a minimap; the signal ends its listeners. */
export function minimap(signal) {
  const root = element(`<div class="sg-minimap" data-empty="true" data-tip="viewer_toolbar.minimap_hint">
    <canvas aria-hidden="true"></canvas><i class="sg-minimap-selection" hidden></i><i class="sg-minimap-playhead" hidden></i>
    <div class="sg-minimap-frame" tabindex="0" role="slider" aria-valuemin="0" aria-valuemax="0" aria-valuenow="0"
      data-aria="viewer_toolbar.minimap"></div></div>`);
  const frame = find(root, '.sg-minimap-frame');
  const head = find(root, '.sg-minimap-playhead');
  let envelope = null;
  const draw = () => { if (envelope) drawEnvelope(find(root, 'canvas'), envelope); };
  const update = () => { if (state.sound) layOut(root, frame); };
  const open = () => {
    root.dataset.empty = 'false';
    envelope = new Int8Array(decodeBase64(state.sound.envelope).buffer);
    draw();
    update();
  };
  if (state.sound) open(); // in a tab that is opened later
  events.addEventListener('sound', open, { signal });
  for (const name of ['visible', 'selection']) events.addEventListener(name, update, { signal });
  onResize(root, () => { draw(); update(); }, signal);
  onThemeChange(draw, signal);
  onPlayhead((now) => {
    head.hidden = !state.sound;
    if (state.sound) head.style.left = share(now);
  }, signal);
  wirePointer(root, frame);
  frame.addEventListener('keydown', onKey);
  return root;
}

const share = (time) => `${Math.min(100, (100 * time) / state.sound.seconds)}%`;

function layOut(root, frame) {
  const { start, end } = state.visible;
  const { seconds } = state.sound;
  const [left, right] = ends(root);
  frame.style.left = `${left}px`;
  frame.style.width = `${right - left}px`;
  frame.toggleAttribute('data-all', end - start >= seconds * 0.9999);
  frame.setAttribute('aria-valuemax', seconds.toFixed(3));
  frame.setAttribute('aria-valuenow', start.toFixed(3));
  const shown = { start: formatTime(start), end: formatTime(end), all: formatTime(seconds) };
  frame.setAttribute('aria-valuetext', t('viewer_toolbar.minimap_shown', shown));
  const selected = find(root, '.sg-minimap-selection');
  selected.hidden = !state.selection;
  if (!state.selection) return;
  selected.style.left = share(state.selection.start);
  selected.style.width = `${(100 * (state.selection.end - state.selection.start)) / seconds}%`;
}

/** Where the frame's edges are drawn, in CSS pixels. */
function ends(root) {
  const { width } = root.getBoundingClientRect();
  const [left, right] = [state.visible.start, state.visible.end].map((time) => (time / state.sound.seconds) * width);
  const spare = Math.max(0, MIN_FRAME_PX - (right - left)) / 2;
  return [Math.max(0, left - spare), Math.min(width, right + spare)];
}

function wirePointer(root, frame) {
  let drag = null;
  const at = (event) => event.clientX - root.getBoundingClientRect().left;
  const time = (x) => (x / root.getBoundingClientRect().width) * state.sound.seconds;
  root.addEventListener('pointerdown', (event) => {
    if (!state.sound || event.button) return;
    const x = at(event);
    drag = { x, shown: { ...state.visible }, part: partAt(root, x), moved: false };
    root.setPointerCapture(event.pointerId);
  });
  root.addEventListener('pointermove', (event) => {
    const x = at(event);
    if (!drag) {
      root.dataset.grip = state.sound ? partAt(root, x) : '';
      return;
    }
    drag.moved ||= Math.abs(x - drag.x) > MOVED_PX;
    if (drag.moved) pull(drag, time(drag.x), time(x));
  });
  root.addEventListener('pointerup', () => {
    if (drag && !drag.moved && ['draw', 'move'].includes(drag.part)) { // a click: centre on it
      const half = (drag.shown.end - drag.shown.start) / 2;
      show(time(drag.x) - half, time(drag.x) + half);
    }
    drag = null;
    frame.focus({ preventScroll: true });
  });
  root.addEventListener('pointercancel', () => { drag = null; });
  root.addEventListener('dblclick', () => state.sound && show(0, state.sound.seconds));
}

function onKey(event) {
  if (!state.sound || event.altKey || event.ctrlKey || event.metaKey) return;
  const { start, end } = state.visible;
  const span = end - start;
  const [move, zoom] = [MOVES[event.key], ZOOMS[event.key]];
  if (move) show(start + move * span, end + move * span);
  else if (zoom) show(start + (span * (1 - zoom)) / 2, end - (span * (1 - zoom)) / 2);
  else if (event.key === 'Home') show(0, span);
  else if (event.key === 'End') show(state.sound.seconds - span, state.sound.seconds);
  else return;
  event.preventDefault();
}

/** The part of the frame at a position: an edge, all of it, or 'draw' for a new frame. */
function partAt(root, x) {
  const [left, right] = ends(root);
  const all = state.visible.end - state.visible.start >= state.sound.seconds * 0.9999;
  if (!all && Math.abs(x - right) <= HANDLE_PX) return 'end';
  if (!all && Math.abs(x - left) <= HANDLE_PX) return 'start';
  return !all && x > left && x < right ? 'move' : 'draw';
}

function pull({ shown: { start, end }, part }, from, now) {
  const by = now - from;
  if (part === 'move') show(start + by, end + by);
  else if (part === 'start') show(Math.min(start + by, end - 0.01), end);
  else if (part === 'end') show(start, Math.max(end + by, start + 0.01));
  else show(Math.min(from, now), Math.max(from, now));
}
