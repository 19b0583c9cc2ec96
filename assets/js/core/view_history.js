// History of the visible range and the parameters, to undo and redo; the steps of one gesture (a wheel, a drag) count as one.

import { emit, events, show, state } from './state.js';

const PAUSE_MS = 700; // longer than between the steps of one gesture
const MOST_ENTRIES = 100;

let entries = [];
let at = 0; // of the present view in `entries`
let changed = -Infinity;
let lastChange = ''; // what changed last: the name of its event
let restoring = false;
let settings = { read: () => null, write: (/** @type {any} */ _) => {} };

/** Include settings in the history: how to read and to restore them. */
export function trackSettings(read, write) {
  settings = { read, write };
}

const viewNow = () => ({ ...state.visible, frequencyRange: state.frequencyRange, settings: settings.read() });
const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

events.addEventListener('sound', () => {
  [entries, at, changed] = [[viewNow()], 0, -Infinity];
  emit('history');
});

events.addEventListener('visible', (/** @type {CustomEvent} */ { detail }) => record('visible', detail.follow));
events.addEventListener('parameters', () => { if (state.sound) record('parameters'); });

/** Add the present view; `follow`: it only follows the play head. */
function record(name, follow = false) {
  const [view, now] = [viewNow(), performance.now()];
  if (restoring || follow) entries[at] = view;
  else if (same(view, entries[at])) return; // at a limit
  else {
    const before = entries.slice(0, now - changed > PAUSE_MS || name !== lastChange ? at + 1 : at).slice(-MOST_ENTRIES);
    const returned = same(view, before.at(-1)); // there and back again, quickly
    entries = returned ? before : [...before, view];
    at = entries.length - 1;
    changed = returned ? -Infinity : now;
    lastChange = name;
  }
  emit('history');
}

/** Whether there is a view before (-1) or after (1) this one. */
export function canGo(way) {
  return at + way in entries;
}

/** Show the view before (-1) or after (1) this one. */
export function go(way) {
  if (!canGo(way)) return;
  at += way;
  const { start, end, frequencyRange, settings: kept } = entries[at];
  changed = -Infinity;
  restoring = true;
  if (!same(kept, settings.read())) settings.write(kept);
  show(start, end, { frequencyRange });
  restoring = false;
}
