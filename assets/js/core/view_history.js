// History of the visible range, the parameters, the labels and how the file is read, to undo and redo; the steps of one
// gesture (a wheel, a drag) count as one.

import { readAs, readingOf, sameReading } from './reading.js';
import { emit, events, show, state } from './state.js';

const PAUSE_MS = 700; // longer than between the steps of one gesture
const MOST_ENTRIES = 100;

/** @type {{reading: import('./reading.js').Reading, values: any[]}[]} `values`: by `tracked`, in the times of the reading */
let entries = [];
let at = 0; // of the present view in `entries`
let changed = -Infinity;
let lastChange = ''; // what changed last
let restoring = false;
let opening = false; // the file, to be read as in another entry
let digest = ''; // of the sound whose history it is

const sameValues = (a, b) => JSON.stringify(a) === JSON.stringify(b);
const tracked = [{
  read: () => ({ ...state.visible, frequencyRange: state.frequencyRange }),
  write: ({ start, end, frequencyRange }) => show(start, end, { frequencyRange }),
  same: sameValues,
}];

/** Include something in the history: how to read, to restore and to compare it. */
export function track(read, write, same = sameValues) {
  tracked.unshift({ read, write, same }); // the visible range comes last
  for (const { values } of entries) values.unshift(read());
}

const viewNow = () => ({ reading: readingOf(state.sound), values: tracked.map(({ read }) => read()) });
const same = (a, b) => sameReading(a.reading, b.reading) && tracked.every((one, i) => one.same(a.values[i], b.values[i]));

events.addEventListener('sound', () => {
  if (state.sound.digest === digest) record('reading');
  else {
    [entries, at, digest] = [[viewNow()], 0, state.sound.digest];
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

/** Add the present view; `follow`: it only follows the play head or how the file is read. */
function record(name, follow = false) {
  if (opening) return;
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
    if (!one.same(entries[at].values[i], now)) for (const { values } of entries) values[i] = now;
  });
  emit('history');
}

/** Whether there is a view before (-1) or after (1) this one. */
export function canGo(way) {
  return at + way in entries;
}

/** Show the view before (-1) or after (1) this one. */
export function go(way) {
  if (!canGo(way) || opening) return;
  const [view, owner] = [entries[at + way], digest];
  const isRead = () => owner === digest && sameReading(view.reading, readingOf(state.sound));
  if (isRead()) return restore(at + way);
  opening = true;
  events.addEventListener('opened', () => {
    opening = false;
    if (isRead()) restore(at + way);
  }, { once: true });
  readAs(view.reading);
}

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
