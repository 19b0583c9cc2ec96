// Keyboard shortcuts of the views; shortcuts_dialog.js lists them.

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
  const key = long || event.shiftKey ? event.key : event.key.toLowerCase(); // regardless of Caps Lock
  const held = { Ctrl: event.ctrlKey || event.metaKey, Alt: event.altKey, Shift: event.shiftKey && long };
  return [...Object.keys(held).filter((name) => held[name]), key].join('+');
}

// punctuation keys that hold letters in other alphabets, without and with Shift
const LATIN = { BracketLeft: '[{', BracketRight: ']}', Comma: ',<', Period: '.>' };
const OWN_KEYS = 'input, select, textarea, dialog, [role=slider], [role=separator], [contenteditable]';

/** Run a view's shortcuts while the focus is in it, except in fields that take keys themselves. */
export function wireKeys(viewer) {
  viewer.host.addEventListener('keydown', (event) => {
    if (event.defaultPrevented || event.target.closest(OWN_KEYS)) return;
    if ([' ', 'Enter'].includes(event.key) && event.target.closest('button, a, summary')) return;
    const keys = viewer.keys();
    const key = keys[combination(event)] ?? keys[latin(event)];
    if (!key || (!state.sound && !key.always)) return;
    event.preventDefault();
    key.run(event);
  }, { signal: viewer.signal });
}

/** The combination of the same keys on a Latin keyboard. */
function latin(event) {
  if (!/[а-яё]/i.test(event.key)) return '';
  const { code, shiftKey, ctrlKey, metaKey, altKey } = event;
  const letter = code.startsWith('Key') ? code.slice(3) : '';
  const key = LATIN[code]?.[Number(shiftKey)] ?? (shiftKey ? letter : letter.toLowerCase());
  return combination({ key, shiftKey, ctrlKey, metaKey, altKey });
}
