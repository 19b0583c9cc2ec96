// The hand on a viewer's plot: pointer, wheel and keys.

import { audio, seek, show, state, togglePlay, zoom } from './session.js';

/** Let a viewer follow the pointer: click seeks, drag pans, the wheel zooms at the pointer. */
export function wirePointer(viewer) {
  const { plot } = viewer;
  let drag = null;
  const place = (event) => {
    const box = plot.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };
  plot.addEventListener('pointerdown', (event) => {
    if (!state.sound || event.button) return;
    const grabbed = viewer.grab(place(event), event);
    drag = { ...place(event), shown: { ...state.shown }, moved: false, grabbed };
    plot.setPointerCapture(event.pointerId);
  });
  plot.addEventListener('pointermove', (event) => {
    const at = place(event);
    if (drag?.grabbed) drag.grabbed.move?.(at, event);
    else if (drag && Math.abs(at.x - drag.x) > 4) drag.moved = true;
    if (drag?.moved) {
      const { start, end } = drag.shown;
      const by = ((drag.x - at.x) / viewer.area().width) * (end - start);
      show(start + by, end + by);
    }
    viewer.point(at);
  });
  plot.addEventListener('pointerup', (event) => {
    const at = place(event);
    if (drag?.grabbed) drag.grabbed.drop?.(at, event);
    else if (drag && !drag.moved && viewer.inside(at)) seek(viewer.timeAt(at.x));
    drag = null;
    viewer.point(at);
  });
  plot.addEventListener('pointercancel', () => {
    drag?.grabbed?.cancel?.();
    drag = null;
  });
  plot.addEventListener('pointerleave', (event) => {
    if (event.pointerType !== 'touch') viewer.point(null); // what was tapped stays read
  });
  plot.addEventListener('dblclick', () => state.sound && show(0, state.sound.seconds));
  plot.addEventListener('wheel', (event) => {
    const { start, end } = state.shown;
    const all = end - start >= state.sound?.seconds;
    if (!state.sound || (all && event.deltaY > 0 && !event.ctrlKey)) return; // nothing to zoom out: scroll the page
    event.preventDefault();
    if (Math.abs(event.deltaX) > Math.abs(event.deltaY) || event.shiftKey) {
      const by = ((event.deltaX || event.deltaY) / viewer.area().width) * (end - start);
      show(start + by, end + by);
    } else zoom(Math.exp(event.deltaY * 0.002), viewer.timeAt(place(event).x));
  }, { passive: false });
}

const step = (share) => share * (state.shown.end - state.shown.start);
const pan = (share) => show(state.shown.start + step(share), state.shown.end + step(share));

/** The keys that every viewer has, by the name of their combination (see `combination`). */
export const KEYS = {
  '+': { word: 'zoom_in', run: () => zoom(0.5) },
  '=': { run: () => zoom(0.5) },
  '-': { word: 'zoom_out', run: () => zoom(2) },
  0: { word: 'zoom_all', run: () => show(0, state.sound.seconds) },
  ArrowLeft: { word: 'key_head_left', run: () => seek(audio.currentTime - step(0.025)) },
  ArrowRight: { word: 'key_head_right', run: () => seek(audio.currentTime + step(0.025)) },
  'Shift+ArrowLeft': { word: 'key_pan_left', run: () => pan(-0.1) },
  'Shift+ArrowRight': { word: 'key_pan_right', run: () => pan(0.1) },
  Home: { word: 'key_begin', run: () => seek(0) },
  End: { word: 'key_end', run: () => seek(state.sound.seconds) },
  ' ': { word: 'key_play', run: togglePlay },
};

/** A key event as 'Alt+ArrowLeft', 'Ctrl+c', 'l': Shift is named only where it does not change the character. */
export function combination(event) {
  const shift = event.shiftKey && event.key.length > 1;
  return `${event.ctrlKey || event.metaKey ? 'Ctrl+' : ''}${event.altKey ? 'Alt+' : ''}${shift ? 'Shift+' : ''}${event.key}`;
}

const OWN_KEYS = 'input, select, textarea, [role=slider], [contenteditable]';

/** Let the keys of a viewer and of its extensions work while the focus is in it, but not in a field that types. */
export function wireKeys(viewer) {
  viewer.host.addEventListener('keydown', (event) => {
    const pressed = combination(event);
    if (!state.sound || event.defaultPrevented || event.target.closest(OWN_KEYS)) return;
    if ([' ', 'Enter'].includes(event.key) && event.target.closest('button, a, summary')) return;
    const key = viewer.keys()[pressed];
    if (!key) return;
    event.preventDefault();
    key.run(event);
  });
}
