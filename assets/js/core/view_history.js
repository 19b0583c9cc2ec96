// The windows that were shown, to go back and forth through. Many small steps in a row (a wheel, a drag) are one.

import { announce, events, show, state } from './state.js';

const PAUSE_MS = 700; // longer than between the steps of one gesture
const MOST = 100;

const past = [];
const future = [];
let current = null;
let changed = -Infinity;
let going = false;

const window_ = () => ({ ...state.shown, band: state.band });
const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

events.addEventListener('sound', () => {
  past.length = future.length = 0;
  current = window_();
  changed = -Infinity;
  announce('history');
});

events.addEventListener('shown', ({ detail }) => {
  const now = performance.now();
  if (!going && same(current, window_())) return; // at a limit
  if (!going && !detail.follow) {
    if (now - changed > PAUSE_MS) past.push(current);
    if (past.length > MOST) past.shift();
    future.length = 0;
    changed = now;
  }
  current = window_();
  announce('history');
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
  show(start, end, { band });
  going = false;
}
