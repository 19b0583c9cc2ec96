// Short sounds beside the page's own player: one plays at a time.

import { emit, audio, events, showMessage } from '../core/state.js';
import { t } from '../lib/i18n.js';

/** A player of such sounds; `stop` ends it when anything else begins to play. */
export function clipPlayer(stop = (clip) => clip.pause()) {
  const clip = new Audio();
  clip.preload = 'none';
  clip.addEventListener('play', () => {
    audio.pause();
    emit('clip', { clip });
  });
  audio.addEventListener('play', () => stop(clip));
  events.addEventListener('clip', ({ detail }) => { if (detail.clip !== clip) stop(clip); });
  return clip;
}

/** Play it, and say so if the browser can't; resolves to whether it plays. */
export async function playClip(clip) {
  try {
    await clip.play();
    return true;
  } catch (error) {
    if (error.name !== 'AbortError') showMessage(t('player.play_failed')); // aborted: stopped before it began
    return false;
  }
}
