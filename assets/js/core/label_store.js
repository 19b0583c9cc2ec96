// Keeps the labels of each sound in the browser by the sound's content, and brings them back when it is opened again.

import { events, state } from './state.js';
import { NO_LABELS, addLabels, labels, loadLabels } from './labels.js';
import { guardUnload } from './unload_guard.js';
import { forget, keep, kept } from '../lib/database.js';

const QUIET_MS = 200;
let timer = 0;
/** @type {{digest: string, now: import('./labels.js').Labels} | null} changes that are not kept yet */
let due = null;

events.addEventListener('sound', async () => {
  store();
  const { digest } = state.sound;
  loadLabels(NO_LABELS);
  const found = await kept('labels', digest).catch(() => null);
  if (!found || state.sound.digest !== digest) return;
  if (labels.now === NO_LABELS || !labels.now.list.length) loadLabels(found);
  else addLabels(found.list, found.refused); // one was added meanwhile
});

events.addEventListener('labels', (/** @type {CustomEvent} */ { detail }) => {
  if (detail.loaded || !state.sound) return;
  due = { digest: state.sound.digest, now: labels.now };
  guardUnload('labels', true);
  clearTimeout(timer);
  timer = setTimeout(store, QUIET_MS);
});

/** The labels were saved as a file: nothing is lost where the browser keeps none. */
export function labelsSaved() {
  guardUnload('labels', false);
}

async function store() {
  clearTimeout(timer);
  if (!due) return;
  const { digest, now } = due;
  due = null;
  const value = { list: now.list.map(({ id, ...label }) => label), refused: [...now.refused] };
  const empty = !value.list.length && !value.refused.length;
  try {
    await (empty ? forget('labels', digest) : keep('labels', digest, value));
    if (!due) guardUnload('labels', false);
  } catch (error) {
    console.info(String(error)); // off or full: the page asks before it is left
  }
}
