// The windows that were shown, to go back and forth through. Many small steps in a row (a wheel, a drag) are one.

import { emit, events, show, state } from './state.js';

const PAUSE_MS = 700; // longer than between the steps of one gesture
const MOST = 100;

const past = [];
const future = [];
let current = null;
let changed = -Infinity;
let going = false;

const viewNow = () => ({ ...state.visible, band: state.frequencyRange });
const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

events.addEventListener('sound', () => {
  past.length = future.length = 0;
  current = viewNow();
  changed = -Infinity;
  emit('history');
});

events.addEventListener('visible', ({ detail }) => {
  const now = performance.now();
  if (!going && same(current, viewNow())) return; // at a limit
  if (!going && !detail.follow) {
    if (now - changed > PAUSE_MS) past.push(current);
    if (past.length > MOST) past.shift();
    future.length = 0;
    changed = now;
  }
  current = viewNow();
  emit('history');
});

const side = (way) => (way < 0 ? [past, future] : [future, past]);

export function canGo(way) {
  return side(way)[0].length > 0;
}

/** Show the window before (-1) or after (1) this one. */
export function go(way) {
  const [from, to] = side(way);
  let found = from.pop();
  while (found && same(found, current)) found = from.pop(); // there and back again, quickly
  if (found) to.push(current);
  const { start, end, band } = found ?? current;
  changed = -Infinity;
  going = true;
  show(start, end, { frequencyRange: band });
  going = false;
}
