// History of the visible range, the parameters and the labels, to undo and redo; the steps of one gesture (a wheel, a drag)
// count as one.

import { emit, events, show, state } from './state.js';

const PAUSE_MS = 700; // longer than between the steps of one gesture
const MOST_ENTRIES = 100;

let entries = [];
let at = 0; // of the present view in `entries`
let changed = -Infinity;
let lastChange = ''; // what changed last
let restoring = false;

const sameValues = (a, b) => JSON.stringify(a) === JSON.stringify(b);
const tracked = [{
  read: () => ({ ...state.visible, frequencyRange: state.frequencyRange }),
  write: ({ start, end, frequencyRange }) => show(start, end, { frequencyRange }),
  same: sameValues,
}];

/** Include something in the history: how to read, to restore and to compare it. */
export function track(read, write, same = sameValues) {
  tracked.unshift({ read, write, same }); // the visible range comes last
  for (const entry of entries) entry.unshift(read());
}

const viewNow = () => tracked.map(({ read }) => read());
const same = (a, b) => tracked.every((one, i) => one.same(a[i], b[i]));

events.addEventListener('sound', () => {
  [entries, at, changed] = [[viewNow()], 0, -Infinity];
  emit('history');
});

events.addEventListener('visible', (/** @type {CustomEvent} */ { detail }) => record('visible', detail.follow));
events.addEventListener('parameters', () => { if (state.sound) record('parameters'); });
events.addEventListener('labels', (/** @type {CustomEvent} */ { detail }) => {
  if (!state.sound) return;
  if (detail.loaded) return adopt();
  record(detail.gesture ?? '');
  if (!detail.gesture) changed = -Infinity;
});

/** Add the present view; `follow`: it only follows the play head. */
function record(name, follow = false) {
  const [view, now] = [viewNow(), performance.now()];
  if (restoring || follow || !entries.length) entries[at] = view;
  else if (same(view, entries[at])) return; // at a limit
  else {
    const before = entries.slice(0, now - changed > PAUSE_MS || name !== lastChange ? at + 1 : at).slice(-MOST_ENTRIES);
    const returned = before.length > 0 && same(view, before.at(-1)); // there and back again, quickly
    entries = returned ? before : [...before, view];
    at = entries.length - 1;
    changed = returned ? -Infinity : now;
    lastChange = name;
  }
  emit('history');
}

/** Give all entries what was loaded, such as labels of another tab of the browser: to undo a step does not undo that. */
function adopt() {
  if (!entries.length) entries = [viewNow()];
  tracked.forEach((one, i) => {
    const now = one.read();
    if (!one.same(entries[at][i], now)) for (const entry of entries) entry[i] = now;
  });
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
  const view = entries[at];
  changed = -Infinity;
  restoring = true;
  tracked.forEach(({ read, write, same: equal }, i) => { if (!equal(view[i], read())) write(view[i]); });
  entries[at] = view;
  restoring = false;
  emit('history');
}
