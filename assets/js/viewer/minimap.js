// Minimap: the whole sound with the visible range as a frame to move and resize, the selection and the playhead.

import { events, onPlayhead, possibleSpan, show, state, zoom } from '../core/state.js';
import { decodeBase64, element, find, onResize, onThemeChange } from '../lib/dom.js';
import { formatTime, t } from '../lib/i18n.js';
import { drawEnvelope } from '../lib/thumbnails.js';

const HANDLE_PX = 9;
const MOVED_PX = 3;
const MOVES = { ArrowLeft: -0.1, ArrowRight: 0.1, PageUp: -1, PageDown: 1 }; // by a share of the visible range
const ZOOMS = { ArrowUp: 0.5, ArrowDown: 2, '+': 0.5, '=': 0.5, '-': 2 };

export function addMinimap(viewer) {
  viewer.below.append(minimap(viewer.signal));
}

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
    if (!state.sound) return;
    root.dataset.empty = 'false';
    envelope = new Int8Array(decodeBase64(state.sound.envelope).buffer);
    draw();
    update();
  };
  open(); // a tab may be opened after the sound
  events.addEventListener('sound', open, { signal });
  for (const name of ['visible', 'selection']) events.addEventListener(name, update, { signal });
  onResize(root, draw, signal);
  onThemeChange(draw, signal);
  onPlayhead((now) => {
    head.hidden = !state.sound;
    if (state.sound) head.style.left = share(now);
  }, signal);
  wirePointer(root, frame, signal);
  frame.addEventListener('keydown', onKey);
  return root;
}

const share = (time) => `${Math.min(100, (100 * time) / state.sound.seconds)}%`;
const showsAll = () => state.visible.end - state.visible.start >= state.sound.seconds * 0.9999;

/** Place an element by CSS, which knows how wide the minimap is. */
function place(node, { start, end }) {
  node.style.setProperty('--sg-start', share(start));
  node.style.setProperty('--sg-span', share(end - start));
}

function layOut(root, frame) {
  const { visible: { start, end }, selection, sound: { seconds } } = state;
  place(frame, state.visible);
  frame.toggleAttribute('data-all', showsAll());
  frame.setAttribute('aria-valuemax', seconds.toFixed(3));
  frame.setAttribute('aria-valuenow', start.toFixed(3));
  const shown = { start: formatTime(start), end: formatTime(end), all: formatTime(seconds) };
  frame.setAttribute('aria-valuetext', t('viewer_toolbar.minimap_shown', shown));
  const selected = find(root, '.sg-minimap-selection');
  selected.hidden = !selection;
  if (selection) place(selected, selection);
}

function wirePointer(root, frame, signal) {
  let drag = null;
  events.addEventListener('sound', () => { drag = null; }, { signal }); // it goes by times of the one before
  const at = (event) => event.clientX - root.getBoundingClientRect().left;
  const time = (x) => (x / root.getBoundingClientRect().width) * state.sound.seconds;
  root.addEventListener('pointerdown', (event) => {
    if (!state.sound || event.button) return;
    const x = at(event);
    drag = { x, ...state.visible, part: partAt(frame, event), moved: false };
    root.setPointerCapture(event.pointerId);
  });
  root.addEventListener('pointermove', (event) => {
    const x = at(event);
    if (!drag) {
      root.dataset.grip = state.sound ? partAt(frame, event) : '';
      return;
    }
    drag.moved ||= Math.abs(x - drag.x) > MOVED_PX;
    if (drag.moved) pull(drag, time(drag.x), time(x));
  });
  root.addEventListener('pointerup', () => {
    if (!drag) return;
    const { x, start, end, part, moved } = drag;
    const half = (end - start) / 2;
    if (!moved && ['draw', 'move'].includes(part)) show(time(x) - half, time(x) + half); // a click: centre on it
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
  const [move, factor] = [MOVES[event.key], ZOOMS[event.key]];
  if (move) show(start + move * span, end + move * span);
  else if (factor) zoom(factor, (start + end) / 2);
  else if (event.key === 'Home') show(0, span);
  else if (event.key === 'End') show(state.sound.seconds - span, state.sound.seconds);
  else return;
  event.preventDefault();
}

/** The part of the frame under the pointer: an edge, all of it, or 'draw' for a new frame. */
function partAt(frame, { clientX: x }) {
  if (showsAll()) return 'draw';
  const { left, right } = frame.getBoundingClientRect();
  if (Math.abs(x - right) <= HANDLE_PX) return 'end';
  if (Math.abs(x - left) <= HANDLE_PX) return 'start';
  return x > left && x < right ? 'move' : 'draw';
}

/** Move or resize the frame by a drag between two times; one edge stays where it is at the ends of the sound, too. */
function pull({ start, end, part }, from, to) {
  const by = to - from;
  const { seconds } = state.sound;
  const least = possibleSpan(0);
  if (part === 'move') show(start + by, end + by);
  else if (part === 'start') show(Math.max(0, Math.min(start + by, end - least)), end);
  else if (part === 'end') show(start, Math.min(seconds, Math.max(end + by, start + least)));
  else show(Math.max(0, Math.min(from, to)), Math.min(seconds, Math.max(from, to)));
}
