// Keeps the labels of each sound in the browser by the sound's content, and brings them back when it is opened again. They
// are kept in the file's own time, whichever time expansion it is read with.

import { emit, events, state } from './state.js';
import { NO_LABELS, addLabels, labels, loadLabels, rescaleLabels } from './labels.js';
import { rescaledList } from './time_scale.js';
import { guardUnload } from './unload_guard.js';
import { forget, keep, kept } from '../lib/database.js';

const QUIET_MS = 200;
let timer = 0;
/** @type {{digest: string, now: import('./labels.js').Labels} | null} changes that are not kept yet */
let due = null;
let digest = ''; // of the sound whose labels are shown
let expansion = 1; // in whose times they are
let loading = ''; // its digest until they are there
/** @type {Map<string, import('./labels.js').Labels>} those that the browser could not keep */
const unkept = new Map();
const inFile = (list) => rescaledList(list, expansion);
const inSound = (list) => rescaledList(list, 1 / expansion);
const otherTabs = new BroadcastChannel('soundglass-labels');

// another tab of the browser has kept labels of the sound that is open here
otherTabs.addEventListener('message', async ({ data }) => {
  emit('labels_kept', { digest: data });
  const hasOwn = () => due || unkept.has(digest);
  if (data !== digest || hasOwn()) return;
  try {
    const found = await kept('labels', digest);
    if (data === digest && !hasOwn()) load(found ?? NO_LABELS);
  } catch (error) {
    console.info(String(error)); // they stay as they are
  }
});

events.addEventListener('sound', async () => {
  const { time_expansion: applied } = state.sound;
  if (state.sound.digest === digest) { // read otherwise
    const factor = expansion / applied;
    expansion = applied;
    if (factor !== 1) rescaleLabels(factor);
    return;
  }
  store();
  expansion = applied;
  const opened = digest = loading = state.sound.digest;
  loadLabels(NO_LABELS);
  const found = unkept.get(opened) ?? await kept('labels', opened).catch(() => null);
  if (digest !== opened) return;
  loading = '';
  if (!found) return;
  const { list, refused } = labels.now; // added meanwhile
  load(found);
  if (list.length || refused.length) addLabels(list, [...found.refused, ...refused]); // a step of the user's
});

function load({ list, refused }) {
  loadLabels({ list: inSound(list), refused });
}

events.addEventListener('labels', (/** @type {CustomEvent} */ { detail }) => {
  if (!detail.loaded && !detail.scaled && state.sound) storeSoon();
});

function storeSoon() {
  due = { digest: state.sound.digest, now: { list: inFile(labels.now.list), refused: labels.now.refused } };
  guardUnload('labels', true);
  clearTimeout(timer);
  timer = setTimeout(store, QUIET_MS);
}

/** The labels of a sound, open or not, by its digest, in the file's own time. @returns {Promise<readonly any[]>} */
export async function labelsOf(of) {
  if (of === digest && of !== loading) return inFile(labels.now.list);
  return (unkept.get(of) ?? await kept('labels', of).catch(() => null))?.list ?? [];
}

/** The labels were saved as a file: nothing is lost where the browser keeps none. */
export function labelsSaved() {
  guardUnload('labels', false);
}

async function store() {
  clearTimeout(timer);
  if (!due) return;
  const { digest: of, now } = due;
  due = null;
  unkept.set(of, now);
  const value = { list: now.list.map(({ id, ...label }) => label), refused: [...now.refused] };
  const empty = !value.list.length && !value.refused.length;
  try {
    await (empty ? forget('labels', of) : keep('labels', of, value));
    if (unkept.get(of) === now) unkept.delete(of);
    otherTabs.postMessage(of);
    if (!due && !unkept.size) guardUnload('labels', false);
  } catch (error) {
    console.info(String(error)); // off or full: the page asks before it is left
  }
}
