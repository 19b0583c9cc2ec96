// Keyboard shortcuts of the views; shortcuts_dialog.js lists them.

import { openFileBy } from '../core/file_list.js';
import { audio, seek, show, showAll, state, togglePlay, zoom } from '../core/state.js';

const step = (share) => share * (state.visible.end - state.visible.start);
const pan = (share) => show(state.visible.start + step(share), state.visible.end + step(share));

/** A shortcut: the message and the section of its line in the dialog, and what it does. */
export const shortcut = (label, group, run) => ({ label, group, run });

/** @type {Record<string, any>} shortcuts of every view, by their combination (see `combination`) */
export const KEYS = {
  ' ': shortcut('viewer_toolbar.key_play', 'sound', togglePlay),
  ArrowLeft: shortcut('viewer_toolbar.key_head_left', 'sound', () => seek(audio.currentTime - step(0.025))),
  ArrowRight: shortcut('viewer_toolbar.key_head_right', 'sound', () => seek(audio.currentTime + step(0.025))),
  Home: shortcut('viewer_toolbar.key_begin', 'sound', () => seek(0)),
  End: shortcut('viewer_toolbar.key_end', 'sound', () => seek(state.sound.seconds)),
  P: shortcut('batch.key_previous', 'sound', () => openFileBy(-1)),
  N: shortcut('batch.key_next', 'sound', () => openFileBy(1)),
  '+': shortcut('viewer_toolbar.zoom_in', 'shown', () => zoom(0.5)),
  '=': { run: () => zoom(0.5) },
  '-': shortcut('viewer_toolbar.zoom_out', 'shown', () => zoom(2)),
  0: shortcut('viewer_toolbar.zoom_all', 'shown', showAll),
  'Shift+ArrowLeft': shortcut('viewer_toolbar.key_pan_left', 'shown', () => pan(-0.1)),
  'Shift+ArrowRight': shortcut('viewer_toolbar.key_pan_right', 'shown', () => pan(0.1)),
};

/** Return a key event as 'Alt+ArrowLeft', 'Ctrl+c', 'l'; Shift is named only where it does not change the character. */
export function combination(event) {
  const long = event.key.length > 1;
  const ctrl = event.ctrlKey || event.metaKey;
  const upper = ctrl && event.shiftKey && !long; // macOS names Shift + Cmd + Z by the small letter
  // the case is that of Shift, regardless of Caps Lock
  const key = upper ? event.key.toUpperCase() : long || event.shiftKey ? event.key : event.key.toLowerCase();
  const held = { Ctrl: ctrl, Alt: event.altKey, Shift: event.shiftKey && long };
  return [...Object.keys(held).filter((name) => held[name]), key].join('+');
}

// punctuation keys that hold letters in other alphabets, without and with Shift
const LATIN = { BracketLeft: '[{', BracketRight: ']}', Comma: ',<', Period: '.>' };
const FIELDS = 'input:not([type=range]), select, textarea, dialog, [contenteditable]';
const ARROW_CONTROLS = 'input, [role=slider], [role=separator], [role=tab], [role=toolbar], [role=listbox]';
const ARROWS = ['ArrowLeft', 'ArrowRight', 'ArrowUp', 'ArrowDown', 'Home', 'End', 'PageUp', 'PageDown'];
const WITHOUT_VIEW = [' ', '?', 'N', 'P']; // act where no view is on screen, too

/** @type {Set<any>} all views, of which one is on screen at most */
const viewers = new Set();
let byPointer = false; // whether a button has the focus from a press of the pointer
let played = false; // whether Space has just acted, so that its release presses no button

/** Run a view's shortcuts wherever the focus is, except in fields, while the view is on screen. */
export function wireKeys(viewer) {
  viewers.add(viewer);
  viewer.signal.addEventListener('abort', () => viewers.delete(viewer));
}

document.addEventListener('pointerdown', () => { byPointer = true; }, { capture: true });
document.addEventListener('keydown', (event) => { if (event.key === 'Tab') byPointer = false; }, { capture: true });
document.addEventListener('keydown', (event) => {
  const shown = [...viewers].find((viewer) => viewer.onScreen);
  const viewer = shown ?? [...viewers][0];
  if (!viewer || event.defaultPrevented || isTaken(event, viewer)) return;
  const keys = viewer.keys();
  const [own, other] = [combination(event), latin(event)];
  const key = keys[own] ?? keys[other];
  if (!key || (!state.sound && !key.always) || (!shown && ![own, other].some((one) => WITHOUT_VIEW.includes(one)))) return;
  event.preventDefault();
  played = event.key === ' ';
  key.run(event);
});
document.addEventListener('keyup', (event) => {
  if (played && event.key === ' ') event.preventDefault();
  played = false;
});

/** Whether the focused element takes a key itself, or the browser does. */
function isTaken({ key, target, altKey }, viewer) {
  if (target.closest(FIELDS)) return true;
  const onButton = target.closest('button, a, summary');
  if (key === 'Enter') return Boolean(onButton);
  if (key === ' ') return Boolean(onButton) && !byPointer; // by the keyboard Space presses the button
  const tab = byPointer && target.closest('[role=tab]');
  if (ARROWS.includes(key) && !tab && target.closest(ARROW_CONTROLS)) return true;
  return !viewer.host.contains(target) && (altKey || ['Home', 'End', 'Backspace'].includes(key)); // the browser's own
}

/** The combination of the same keys on a Latin keyboard, where the pressed one is Cyrillic; else ''. */
export function latin(event) {
  if (!/[а-яё]/i.test(event.key)) return '';
  const { code, shiftKey, ctrlKey, metaKey, altKey } = event;
  const letter = code.startsWith('Key') ? code.slice(3) : '';
  const key = LATIN[code]?.[Number(shiftKey)] ?? (shiftKey ? letter : letter.toLowerCase());
  return combination({ key, shiftKey, ctrlKey, metaKey, altKey });
}
