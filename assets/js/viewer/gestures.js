// Pointer, touch and wheel gestures on a plot.

import { audio, seek, select, show, showAll, state, zoom } from '../core/state.js';
import { rangeBetween, moveFrequency, zoomFrequency } from '../core/frequency_range.js';
import { toolOf } from '../core/active_tool.js';

const MOVED_PX = 4; // less is a click
const EDGE_PX = 7;
const PINCH_PX = 20; // a trackpad's pinch comes in smaller steps; more is a mouse's wheel with Ctrl held
const FLAT_PX = 12; // a drag flatter than this means all frequencies, a thinner one all times

/** Listen to pointers and the wheel on a viewer's plot. */
export function wirePointer(viewer) {
  const { plot, pressed } = viewer;
  let gesture = null;
  const on = (name, listener) => plot.addEventListener(name, (event) => {
    const { left, top } = plot.getBoundingClientRect();
    listener(event, { x: event.clientX - left, y: event.clientY - top });
  }, { signal: viewer.signal, passive: false });
  const stop = () => {
    gesture?.cancel?.();
    gesture = null;
  };
  viewer.onState('sound', () => { // a drag goes by times of the one before
    gesture = null;
    viewer.box = null;
  });
  on('pointerdown', (event, at) => {
    if (!viewer.current() || event.button) return;
    pressed.set(event.pointerId, at);
    plot.setPointerCapture(event.pointerId);
    if (pressed.size === 2) {
      stop();
      gesture = pinch(viewer);
    } else if (pressed.size === 1) gesture = begin(viewer, at, event);
  });
  on('pointermove', (event, at) => {
    if (pressed.has(event.pointerId)) pressed.set(event.pointerId, at);
    gesture?.move(at);
    if (!pressed.size) plot.dataset.edge = edgeAt(viewer, at, event) ?? '';
    viewer.point(at);
  });
  on('pointerup', (event, at) => {
    if (pressed.delete(event.pointerId)) {
      gesture?.drop?.(at);
      gesture = null;
    }
    viewer.point(at);
  });
  on('pointercancel', (event) => {
    pressed.delete(event.pointerId);
    stop();
    viewer.update(); // plugins that paused during the press resume
  });
  on('pointerleave', (event) => { if (event.pointerType !== 'touch') viewer.point(null); }); // a tapped point stays read
  on('touchstart', (event) => { // two fingers zoom the plot, one may scroll the page
    if (event.touches.length > 1 && event.cancelable) event.preventDefault();
  });
  on('wheel', (event, at) => wheel(viewer, event, at));
  trackpad(viewer, on);
  doubleClick(on);
}

/** A double click shows everything; what its two clicks did is undone. */
function doubleClick(on) {
  let [pressed, before] = [null, null]; // playhead and selection at the last press, and before the first of two clicks
  on('pointerdown', () => { pressed = { time: audio.currentTime, selection: state.selection }; });
  on('click', ({ detail }) => { if (detail === 1) before = pressed; });
  on('dblclick', () => {
    seek(before?.time ?? audio.currentTime);
    select(before?.selection ?? null);
    showAll();
  });
}

/** Factor by which a turn of the wheel widens the visible range; a trackpad's pinch is a wheel with Ctrl, but for Safari. */
function widening({ deltaY, ctrlKey }) {
  return Math.exp(ctrlKey ? Math.min(PINCH_PX, Math.max(-PINCH_PX, deltaY)) * 0.01 : deltaY * 0.002);
}

/** Safari's events for a trackpad's pinch; it also sends them for fingers on a screen, which are handled as pointers. */
function trackpad(viewer, on) {
  let before = 1; // the gesture's scale so far
  for (const name of ['gesturestart', 'gesturechange', 'gestureend']) {
    on(name, (event, at) => {
      event.preventDefault(); // the page would be zoomed
      if (name === 'gesturestart') before = 1;
      if (state.sound && !viewer.pressed.size) widen(viewer, before / event.scale, at);
      before = event.scale;
    });
  }
}

/** Widen the visible range around a point: in frequency on the frequency axis, else in time. */
function widen(viewer, factor, at) {
  if (onFrequencies(viewer, at)) zoomFrequency(viewer, factor, at.y);
  else zoom(factor, viewer.timeAt(at.x));
}

function onFrequencies(viewer, at) {
  return viewer.pitched && viewer.current() && at.x < viewer.area().left;
}

function wheel(viewer, event, at) {
  if (!state.sound) return;
  const { start, end } = state.visible;
  const onAxis = onFrequencies(viewer, at);
  const whole = onAxis ? !state.frequencyRange : end - start >= state.sound.seconds;
  if (whole && event.deltaY > 0 && !event.ctrlKey) return; // nothing to zoom out: scroll the page
  event.preventDefault();
  if (!onAxis && (Math.abs(event.deltaX) > Math.abs(event.deltaY) || event.shiftKey)) {
    const by = ((event.deltaX || event.deltaY) / viewer.area().width) * (end - start);
    show(start + by, end + by);
  } else widen(viewer, widening(event), at);
}

/** The gesture of a press with one pointer. */
function begin(viewer, at, event) {
  const edge = edgeAt(viewer, at, event);
  if (edge) return dragEdge(viewer, edge);
  const work = /** @type {any} */ ({ move: pan, select: selectBox, box: zoomBox }[toolOf(event)](viewer, at));
  let moved = false;
  return {
    move(to) {
      moved ||= Math.hypot(to.x - at.x, to.y - at.y) > MOVED_PX;
      if (moved) work.move(to);
    },
    drop(to) {
      if (moved) return work.drop?.(to);
      if (!viewer.inside(at)) return;
      work.click?.();
      seek(viewer.timeAt(at.x));
      viewer.call('click', at);
    },
    cancel: work.cancel,
  };
}

function pan(viewer, from) {
  const { start, end } = state.visible;
  const axis = viewer.pitched ? viewer.axis() : null;
  return {
    move(to) {
      const { width, height } = viewer.area();
      if (axis) moveFrequency(viewer, (to.y - from.y) / height, axis);
      const by = ((from.x - to.x) / width) * (end - start);
      show(start + by, end + by);
    },
  };
}

/** The nearest point inside the axes. */
function within(viewer, { x, y }) {
  const { left, top, width, height } = viewer.area();
  return { x: Math.min(Math.max(x, left), left + width), y: Math.min(Math.max(y, top), top + height) };
}

/** The box between two points, kept inside the plot, and whether it spans all heights or all times. */
function boxOf(viewer, from, to) {
  const { top, height } = viewer.area();
  const [a, b] = [within(viewer, from), within(viewer, to)];
  const [x0, x1, y0, y1] = [Math.min(a.x, b.x), Math.max(a.x, b.x), Math.min(a.y, b.y), Math.max(a.y, b.y)];
  const flat = !viewer.pitched || y1 - y0 < FLAT_PX || y1 - y0 > height - 1;
  return { x0, x1, y0: flat ? top : y0, y1: flat ? top + height : y1, flat, thin: x1 - x0 < FLAT_PX && !flat };
}

function selectBox(viewer, from) {
  const before = state.selection;
  return {
    move(to) {
      const { x0, x1, y0, y1, flat } = boxOf(viewer, from, to);
      const [low_hz, high_hz] = flat ? [null, null] : [viewer.hzAt(y1), viewer.hzAt(y0)];
      select({ start: viewer.timeAt(x0), end: viewer.timeAt(x1), low_hz, high_hz });
    },
    click: () => select(null),
    cancel: () => select(before),
  };
}

function zoomBox(viewer, from) {
  const draw = (box) => {
    viewer.box = box;
    viewer.drawOverlay();
  };
  return {
    move: (to) => draw(boxOf(viewer, from, to)),
    drop(to) {
      const { x0, x1, y0, y1, flat, thin } = boxOf(viewer, from, to);
      draw(null);
      const { top, height } = viewer.area();
      const share = (y) => 1 - (y - top) / height;
      const frequencyRange = flat ? state.frequencyRange : rangeBetween(viewer, share(y1), share(y0));
      if (thin) show(state.visible.start, state.visible.end, { frequencyRange });
      else if (x1 - x0 > MOVED_PX) show(viewer.timeAt(x0), viewer.timeAt(x1), { frequencyRange });
    },
    cancel: () => draw(null),
  };
}

/** Two fingers: the times under them stay under them. */
function pinch(viewer) {
  const ends = () => [...viewer.pressed.values()].map(({ x }) => x).sort((a, b) => a - b);
  const { start, end } = state.visible;
  const { left, width } = viewer.area();
  const [a, b] = ends();
  const [from, to] = [viewer.timeAt(a), viewer.timeAt(b)];
  return {
    move() {
      const [x0, x1] = ends();
      const apart = b - a > 24; // fingers above each other only pan
      const span = apart ? ((to - from) / Math.max(8, x1 - x0)) * width : end - start;
      const middle = (from + to) / 2;
      const share = ((x0 + x1) / 2 - left) / width;
      show(middle - share * span, middle + (1 - share) * span);
    },
  };
}

/** The edge of the selection that a press would drag, as its key in the selection; null elsewhere. */
function edgeAt(viewer, { x, y }, event) {
  if (!state.selection || !viewer.current() || toolOf(event) === 'box') return null;
  const { x0, x1, y0, y1, banded } = viewer.selectionBox();
  const near = (a, b) => Math.abs(a - b) <= EDGE_PX;
  const between = (value, low, high) => value > low - EDGE_PX && value < high + EDGE_PX;
  if (between(y, y0, y1) && near(x, x1)) return 'end';
  if (between(y, y0, y1) && near(x, x0)) return 'start';
  if (!banded || !between(x, x0, x1)) return null;
  return (near(y, y0) && 'high_hz') || (near(y, y1) && 'low_hz') || null;
}

function dragEdge(viewer, edge) {
  const before = state.selection;
  const inTime = edge === 'start' || edge === 'end';
  const [low, high] = inTime ? [before.start, before.end] : [before.low_hz, before.high_hz];
  const least = (high - low) * 0.01; // an edge stops just before the other one
  return {
    move(to) {
      const value = inTime ? viewer.timeAt(to.x) : viewer.hzAt(within(viewer, to).y);
      const kept = edge === 'start' || edge === 'low_hz' ? Math.min(value, high - least) : Math.max(value, low + least);
      select({ ...before, [edge]: kept }, { edit: true });
    },
    cancel: () => select(before, { edit: true }),
  };
}
