// History of the visible range, to go back and forth through; the steps of one gesture (a wheel, a drag) count as one.

import { emit, events, show, state } from './state.js';

const PAUSE_MS = 700; // longer than between the steps of one gesture
const MOST_ENTRIES = 100;

let entries = [];
let at = 0; // of the present view in `entries`
let changed = -Infinity;
let restoring = false;

const viewNow = () => ({ ...state.visible, frequencyRange: state.frequencyRange });
const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

events.addEventListener('sound', () => {
  [entries, at, changed] = [[viewNow()], 0, -Infinity];
  emit('history');
});

events.addEventListener('visible', (/** @type {CustomEvent} */ { detail }) => {
  const [view, now] = [viewNow(), performance.now()];
  if (restoring || detail.follow) entries[at] = view;
  else if (same(view, entries[at])) return; // at a limit
  else {
    const before = entries.slice(0, now - changed > PAUSE_MS ? at + 1 : at).slice(-MOST_ENTRIES);
    const returned = same(view, before.at(-1)); // there and back again, quickly
    entries = returned ? before : [...before, view];
    at = entries.length - 1;
    changed = returned ? -Infinity : now;
  }
  emit('history');
});

/** Whether there is a view before (-1) or after (1) this one. */
export function canGo(way) {
  return at + way in entries;
}

/** Show the view before (-1) or after (1) this one. */
export function go(way) {
  if (!canGo(way)) return;
  at += way;
  const { start, end, frequencyRange } = entries[at];
  changed = -Infinity;
  restoring = true;
  show(start, end, { frequencyRange });
  restoring = false;
}
