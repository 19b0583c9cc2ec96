// Short sounds apart from the page's own player: only one of all plays at a time.

import { audio, emit, events } from '../core/state.js';

/** Return a player of such sounds; when anything else begins to play, `stop` is called, or it pauses.
 * @param {AbortSignal} signal
 * @param {() => void} [stop]
 */
export function clipPlayer(signal, stop) {
  const clip = new Audio();
  clip.preload = 'none';
  clip.addEventListener('play', () => {
    audio.pause();
    emit('clip', { clip });
  });
  const end = stop ?? (() => clip.pause());
  audio.addEventListener('play', end, { signal });
  events.addEventListener('clip', (/** @type {CustomEvent} */ { detail }) => { if (detail.clip !== clip) end(); }, { signal });
  signal.addEventListener('abort', () => clip.pause());
  return clip;
}
