// Labels of the open sound: named intervals, perhaps between two frequencies, and verdicts on the network's segments.
// Each change makes a new list, so that the view history can hold the old one.

import { MEAN } from './channels.js';
import { network } from './network.js';
import { emit, events, select, state } from './state.js';
import { rescaledList } from './time_scale.js';
import { track } from './view_history.js';

/** @typedef {object} Label
 * @property {number} id of this visit
 * @property {string} name a class, or the user's own
 * @property {number} start
 * @property {number} end
 * @property {number | null} low_hz
 * @property {number | null} high_hz
 * @property {number | null} probability the network's
 * @property {string | null} of key of the network's segment that it accepts or corrects
 *
 * @typedef {{list: readonly Label[], refused: readonly string[]}} Labels `refused`: keys of segments
 */

export const MOST_LABELS = 100_000;
export const NO_LABELS = /** @type {Labels} */ ({ list: [], refused: [] });

export const labels = {
  now: NO_LABELS,
  /** @type {number | null} the chosen label's id; the selection is its box, and edits of the selection are its own */
  chosen: null,
  lastName: '', // offered for the next one
};

let ids = 0;

const scaled = (/** @type {Labels} */ now, factor) => (
  factor === 1 ? now : { ...now, list: rescaledList(now.list, factor) });

track(() => labels.now, (/** @type {Labels} */ before) => set(before), Object.is, scaled);

/** Replace the labels; `gesture`: steps of the same one are one step of the history; `loaded`: none of the user's steps. */
function set(now, detail = {}) {
  if (now === labels.now) return;
  labels.now = now;
  const label = chosenLabel();
  if (labels.chosen !== null && !label) labels.chosen = null;
  emit('labels', detail);
  if (label && !detail.gesture) selectBox(label);
}

const box = ({ start, end, low_hz = null, high_hz = null }) => ({ start, end, low_hz, high_hz });

function selectBox(label) {
  select(box(label), { label: true });
}

export const chosenLabel = () => labels.now.list.find(({ id }) => id === labels.chosen);

/** Replace all labels by those that were kept or, for another sound, by none.
 * @param {Labels} now
 */
export function loadLabels({ list, refused }) {
  labels.chosen = null;
  set({ list: list.map((label) => ({ ...label, id: ++ids })), refused }, { loaded: true });
}

/** Change the labels to the times of a sound that is read with another time expansion.
 * @param {number} factor
 */
export function rescaleLabels(factor) {
  set(scaled(labels.now, factor), { scaled: true });
}

/** Add labels; return the id of the last one, which is chosen if it is the only one. */
export function addLabels(added, refused = labels.now.refused) {
  const made = added.map((/** @type {any} */ label) => (
    { probability: null, of: null, name: label.name, ...label, ...box(label), id: ++ids }));
  if (made.length === 1) labels.chosen = made[0].id;
  set({ list: [...labels.now.list, ...made], refused });
  return ids;
}

export function changeLabel(id, changes, gesture = '') {
  const list = labels.now.list.map((label) => (label.id === id ? { ...label, ...changes } : label));
  set({ ...labels.now, list }, gesture ? { gesture: `${gesture} ${id}` } : {});
}

export function removeLabel(id) {
  if (id === labels.chosen) select(null);
  set({ ...labels.now, list: labels.now.list.filter((label) => label.id !== id) });
}

/** Choose a label: its box is selected. */
export function chooseLabel(id) {
  labels.chosen = id;
  const label = chosenLabel();
  if (label) selectBox(label);
  emit('label_chosen');
}

events.addEventListener('selection', (/** @type {CustomEvent} */ { detail }) => {
  if (labels.chosen === null || detail.label) return;
  if (detail.edit && state.selection) changeLabel(labels.chosen, box(state.selection), 'edge');
  else {
    labels.chosen = null;
    emit('label_chosen');
  }
});

/** What names a segment of the network's timeline: its class and times, and where they are not the usual ones how the file is
 * read and which network it is of. @param {import('./detections.js').Segment} segment */
function segmentKey({ label, start, end, guess, second }) {
  const { channel, full_scale, time_expansion } = state.sound;
  const own = network.choice === 'own' || (network.choice === 'both' && !second);
  return [
    guess ?? label, start.toFixed(2), end.toFixed(2), ...(channel === MEAN ? [] : [channel]), ...(full_scale > 1 ? [`/${full_scale}`] : []),
    ...(time_expansion > 1 ? [`×${time_expansion}`] : []), ...(own ? ['own'] : []),
  ].join(' ');
}

/** The verdict on a segment: 'accepted', 'corrected', 'refused', or '' before the review. */
export function verdictOn(segment) {
  const key = segmentKey(segment);
  if (labels.now.refused.includes(key)) return 'refused';
  const label = labels.now.list.find(({ of }) => of === key);
  if (!label) return '';
  return label.name === (segment.guess ?? segment.label) ? 'accepted' : 'corrected';
}

/** Accept a segment as a label, by its own name or a corrected one; null refuses it. */
export function review(segment, name) {
  const key = segmentKey(segment);
  const refused = labels.now.refused.filter((one) => one !== key);
  const others = labels.now.list.filter(({ of }) => of !== key);
  if (name === null) return set({ list: others, refused: [...refused, key] });
  const { start, end, probability } = segment;
  set({ list: [...others, { id: ++ids, name, ...box({ start, end }), probability, of: key }], refused });
}
