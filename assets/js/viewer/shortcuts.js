// The keys of the viewers; help.js lists them.

import { audio, seek, show, showAll, state, togglePlay, zoom } from '../core/state.js';

const step = (share) => share * (state.visible.end - state.visible.start);
const pan = (share) => show(state.visible.start + step(share), state.visible.end + step(share));

/** The keys that every viewer has, by the name of their combination (see `combination`). */
export const KEYS = {
  ' ': { word: 'viewer_toolbar.key_play', group: 'sound', run: togglePlay },
  ArrowLeft: { word: 'viewer_toolbar.key_head_left', group: 'sound', run: () => seek(audio.currentTime - step(0.025)) },
  ArrowRight: { word: 'viewer_toolbar.key_head_right', group: 'sound', run: () => seek(audio.currentTime + step(0.025)) },
  Home: { word: 'viewer_toolbar.key_begin', group: 'sound', run: () => seek(0) },
  End: { word: 'viewer_toolbar.key_end', group: 'sound', run: () => seek(state.sound.seconds) },
  '+': { word: 'viewer_toolbar.zoom_in', group: 'shown', run: () => zoom(0.5) },
  '=': { run: () => zoom(0.5) },
  '-': { word: 'viewer_toolbar.zoom_out', group: 'shown', run: () => zoom(2) },
  0: { word: 'viewer_toolbar.zoom_all', group: 'shown', run: showAll },
  'Shift+ArrowLeft': { word: 'viewer_toolbar.key_pan_left', group: 'shown', run: () => pan(-0.1) },
  'Shift+ArrowRight': { word: 'viewer_toolbar.key_pan_right', group: 'shown', run: () => pan(0.1) },
};

/** A key event as 'Alt+ArrowLeft', 'Ctrl+c', 'l': Shift is named only where it does not change the character. */
export function combination(event) {
  const long = event.key.length > 1;
  const key = long || event.shiftKey ? event.key : event.key.toLowerCase(); // whatever Caps Lock says
  const held = { Ctrl: event.ctrlKey || event.metaKey, Alt: event.altKey, Shift: event.shiftKey && long };
  return [...Object.keys(held).filter((name) => held[name]), key].join('+');
}

// keys whose place has another letter in another alphabet, without and with Shift
const LATIN = { BracketLeft: '[{', BracketRight: ']}', Comma: ',<', Period: '.>' };
const OWN_KEYS = 'input, select, textarea, dialog, [role=slider], [role=separator], [contenteditable]';

/** Let the keys of a viewer and of its extensions work while the focus is in it, but not in a field with keys of its own. */
export function wireKeys(viewer) {
  viewer.host.addEventListener('keydown', (event) => {
    if (event.defaultPrevented || event.target.closest(OWN_KEYS)) return;
    if ([' ', 'Enter'].includes(event.key) && event.target.closest('button, a, summary')) return;
    const keys = viewer.keys();
    const key = keys[combination(event)] ?? keys[latin(event)];
    if (!key || (!state.sound && !key.always)) return;
    event.preventDefault();
    key.run(event);
  });
}

/** The combination as a Latin keyboard would name it: a Russian one has other letters on the same keys. */
function latin(event) {
  if (!/[а-яё]/i.test(event.key)) return '';
  const { code, shiftKey, ctrlKey, metaKey, altKey } = event;
  const letter = code.startsWith('Key') ? code.slice(3) : '';
  const key = LATIN[code]?.[Number(shiftKey)] ?? (shiftKey ? letter : letter.toLowerCase());
  return combination({ key, shiftKey, ctrlKey, metaKey, altKey });
}
