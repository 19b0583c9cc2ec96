// History of the visible range, to go back and forth through; the steps of one gesture (a wheel, a drag) count as one.

import { emit, events, show, state } from './state.js';

const PAUSE_MS = 700; // longer than between the steps of one gesture
const MOST_ENTRIES = 100;

const past = [];
const future = [];
let current = null;
let changed = -Infinity;
let restoring = false;

const viewNow = () => ({ ...state.visible, frequencyRange: state.frequencyRange });
const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

events.addEventListener('sound', () => {
  past.length = future.length = 0;
  current = viewNow();
  changed = -Infinity;
  emit('history');
});

events.addEventListener('visible', (/** @type {CustomEvent} */ { detail }) => {
  const now = performance.now();
  if (!restoring && same(current, viewNow())) return; // at a limit
  if (!restoring && !detail.follow) {
    if (now - changed > PAUSE_MS) past.push(current);
    if (past.length > MOST_ENTRIES) past.shift();
    future.length = 0;
    changed = now;
  }
  current = viewNow();
  emit('history');
});

const side = (way) => (way < 0 ? [past, future] : [future, past]);

/** Whether there is a view before (-1) or after (1) this one. */
export function canGo(way) {
  return side(way)[0].length > 0;
}

/** Show the view before (-1) or after (1) this one. */
export function go(way) {
  const [from, to] = side(way);
  let found = from.pop();
  while (found && same(found, current)) found = from.pop(); // there and back again, quickly
  if (found) to.push(current);
  const { start, end, frequencyRange } = found ?? current;
  changed = -Infinity;
  restoring = true;
  show(start, end, { frequencyRange });
  restoring = false;
}
