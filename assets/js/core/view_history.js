// History of the visible range, the parameters, the labels and how the file is read, to undo and redo; the steps of one
// gesture (a wheel, a drag) count as one.

import { followExpansion, readAs, readingOf, sameReading } from './reading.js';
import { emit, events, show, state, timeFactor } from './state.js';

const PAUSE_MS = 700; // longer than between the steps of one gesture without a press
const MOST_ENTRIES = 100;

/** @typedef {{reading: import('./reading.js').Reading, values: any[]}} View `values`: by `tracked`, in the times of the reading */

/** @type {View[]} */
let entries = [];
let at = 0; // of the present view in `entries`
let changed = -Infinity;
let pressed = Infinity; // since when a pointer is down
let lastChange = ''; // what changed last
let restoring = false;
/** @type {View | null} an entry that is shown once the file is read as in it */
let awaited = null;
let digest = ''; // of the sound whose history it is

const sameValues = (a, b) => JSON.stringify(a) === JSON.stringify(b);
/** @type {{read: Function, write: Function, same: Function, scale: Function | null}[]} */
const tracked = [];

/** Include something in the history: how to read, to restore and to compare it, and to rescale what is loaded in time. */
export function track(read, write, same = sameValues, scale = null) {
  tracked.unshift({ read, write, same, scale }); // the visible range comes last
  for (const { values } of entries) values.unshift(read());
}

track(
  () => ({ ...state.visible, frequencyRange: state.frequencyRange }),
  ({ start, end, frequencyRange }) => show(start, end, { frequencyRange }),
);

const isRead = ({ reading }) => sameReading(reading, readingOf(state.sound));
const viewNow = () => ({ reading: readingOf(state.sound), values: tracked.map(({ read }) => read()) });
const same = (a, b) => sameReading(a.reading, b.reading) && tracked.every((one, i) => one.same(a.values[i], b.values[i]));

events.addEventListener('sound', () => {
  if (state.sound.digest === digest) record('reading');
  else {
    [entries, at, awaited, digest] = [[viewNow()], 0, null, state.sound.digest];
    emit('history');
  }
  changed = -Infinity;
});

events.addEventListener('visible', (/** @type {CustomEvent} */ { detail }) => record('visible', detail.follow));
events.addEventListener('parameters', (/** @type {CustomEvent} */ { detail }) => {
  if (state.sound) record('parameters', detail.follow);
});
events.addEventListener('labels', (/** @type {CustomEvent} */ { detail }) => {
  if (!state.sound) return;
  if (detail.loaded) return adopt();
  record(detail.gesture ?? '', detail.scaled);
  if (!detail.gesture) changed = -Infinity;
});

window.addEventListener('pointerdown', () => { pressed = performance.now(); }, { capture: true });
for (const name of ['pointerup', 'pointercancel', 'pointermove', 'keydown']) { // the release in a list or a menu is no event
  window.addEventListener(name, (/** @type {any} */ { buttons }) => { if (!buttons) pressed = Infinity; }, { capture: true });
}

/** Add the present view; `follow`: it only follows the playhead or how the file is read. */
function record(name, follow = false) {
  if (awaited && isRead(awaited)) return; // it is restored at once
  const [view, now] = [viewNow(), performance.now()];
  if (restoring || follow || !entries.length) entries[at] = view;
  else if (same(view, entries[at])) return; // at a limit
  else {
    awaited = null; // something was done meanwhile: how the file is read then is another step
    const goesOn = name === lastChange && (now - changed <= PAUSE_MS || changed >= pressed);
    const before = entries.slice(0, goesOn ? at : at + 1).slice(-MOST_ENTRIES);
    const returned = before.length > 0 && same(view, before.at(-1)); // there and back again, quickly
    entries = returned ? before : [...before, view];
    at = entries.length - 1;
    changed = returned ? -Infinity : now;
    lastChange = name;
  }
  emit('history');
}

/** Give all entries what was loaded, such as labels of another tab of the browser, each in its own times: to undo a step does
 * not undo that. */
function adopt() {
  if (!entries.length) entries = [viewNow()];
  tracked.forEach((one, i) => {
    const now = one.read();
    if (!one.scale || one.same(entries[at].values[i], now)) return;
    const scaled = new Map(); // by factor: one value for all entries of a reading
    for (const { reading, values } of entries) {
      const factor = timeFactor(state.sound, reading);
      if (!scaled.has(factor)) scaled.set(factor, one.scale(now, factor));
      values[i] = scaled.get(factor);
    }
  });
  const steps = entries.map((view, i) => !i || view === awaited || !same(view, entries[i - 1])); // others now change nothing
  at = steps.slice(0, at + 1).filter(Boolean).length - 1;
  entries = entries.filter((_, i) => steps[i]);
  emit('history');
}

/** Whether there is a view before (-1) or after (1) this one. */
export function canGo(way) {
  return at + way in entries;
}

/** Show the view before (-1) or after (1) this one. */
export function go(way) {
  if (!canGo(way) || awaited) return;
  const view = entries[at + way];
  if (isRead(view)) return restore(at + way);
  const { time_expansion: before } = state.sound;
  readAs(view.reading, (done) => {
    if (awaited === view) {
      awaited = null;
      if (done) restore(entries.indexOf(view));
    } else if (done) followExpansion(before);
  });
  awaited = view;
}

events.addEventListener('open', () => { awaited = null; }); // the last one wins

function restore(index) {
  at = index;
  const view = entries[at];
  changed = -Infinity;
  restoring = true;
  tracked.forEach(({ read, write, same: equal }, i) => { if (!equal(view.values[i], read())) write(view.values[i]); });
  entries[at] = view;
  restoring = false;
  emit('history');
}
