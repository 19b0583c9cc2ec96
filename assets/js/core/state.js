// State shared by all components: the open sound, its audio element, the visible range and the selection.

import { t } from '../lib/i18n.js';
import { slowableAudio } from '../lib/slowable_audio.js';
import { rescaled } from './time_scale.js';

const SHORTEST_S = 0.01; // visible interval, in the file's own time
export const events = new EventTarget();
export const audio = slowableAudio();

/** @typedef {{start: number, end: number}} Interval seconds
 * @typedef {{low_hz: number, high_hz: number}} FrequencyRange
 * @typedef {Interval & {label?: string, second?: boolean}} Question `label`: the class to explain first; `second`: of the second network in use
 * @typedef {Interval & {low_hz?: number | null, high_hz?: number | null}} Selection without frequencies: all of them
 */

export const state = {
  /** @type {any} the server's description of the open sound */
  sound: null,
  /** @type {Interval} */
  visible: { start: 0, end: 1 },
  /** @type {FrequencyRange | null} the visible frequencies; null: all that a view has */
  frequencyRange: null,
  /** @type {Selection | null} */
  selection: null,
  /** @type {Question | null} the interval that is classified, explained and compared; null: the sound's first clip */
  asked: null,
};

/** Dispatch an event of the shared state. */
export function emit(name, detail = {}) {
  events.dispatchEvent(new CustomEvent(name, { detail }));
}

/** Open a sound: the whole or, where it is the open one read otherwise, with the same visible range and selection.
 * @param {any} sound
 * @param {boolean} [same]
 */
export function setSound(sound, same = false) {
  const { visible, frequencyRange, selection, asked } = state;
  const factor = same ? timeFactor(state.sound, sound) : 1;
  state.sound = sound;
  state.visible = same ? within(rescaled(visible, factor), sound) : { start: 0, end: sound.seconds };
  state.frequencyRange = same ? rescaled(frequencyRange, factor) : null;
  state.asked = same ? rescaled(asked, factor) : null;
  if (state.asked) delete state.asked.label; // another channel may have another class there
  state.selection = same && selection ? inside(rescaled(selection, factor), sound) : null;
  if (selection && !same) emit('selection');
  emit('sound');
  if (selection && same) emit('selection');
}

/** What the times of a sound are multiplied by where its file is read with another time expansion. */
export function timeFactor(before, after) {
  return before.time_expansion / after.time_expansion;
}

function within({ start, end }, { seconds }) {
  return { start: Math.min(start, seconds), end: seconds - end < 1e-6 ? seconds : end };
}

/** Select an interval, in all frequencies or between two of them, kept inside the sound; null: nothing.
 * @param {Selection | null} selection
 * @param {{edit?: boolean, label?: boolean}} [detail] edit: an edge of the present one moved; label: it is a label's box
 */
export function select(selection, detail = {}) {
  const before = state.selection;
  state.selection = selection && state.sound ? inside(selection, state.sound) : null;
  if (before || state.selection) emit('selection', detail);
}

function inside(selection, { seconds, sample_rate: rate }) {
  const between = (edges, most) => {
    if (!edges.every(Number.isFinite)) throw new RangeError(`a selection of ${JSON.stringify(selection)}`);
    return edges.map((value) => Math.min(Math.max(0, value), most)).sort((one, other) => one - other);
  };
  const frequencies = [selection.low_hz ?? null, selection.high_hz ?? null];
  const banded = !frequencies.includes(null);
  const [start, end] = between([selection.start, selection.end], seconds);
  const [low_hz, high_hz] = banded ? between(frequencies, rate / 2) : [null, null];
  return end > start && (!banded || high_hz > low_hz) ? { start, end, low_hz, high_hz } : null;
}

/** Classify, explain and compare an interval; null: the sound's first clip.
 * @param {Question | null} question
 */
export function ask(question) {
  if (!state.sound) return;
  state.asked = question && { start: question.start, end: question.end, label: question.label, second: question.second };
  emit('asked');
}

/** The length of a visible interval, if it is asked to be so long. */
export function possibleSpan(seconds) {
  return Math.min(state.sound.seconds, Math.max(SHORTEST_S / state.sound.time_expansion, seconds));
}

/** Show another interval, kept inside the sound and no shorter than 10 ms of the file's time, and perhaps other frequencies.
 * @param {number} start
 * @param {number} end
 * @param {{frequencyRange?: FrequencyRange | null, follow?: boolean}} [options] follow: the playhead moved, not the user
 */
export function show(start, end, { frequencyRange = state.frequencyRange, follow = false } = {}) {
  if (!state.sound) return;
  const span = possibleSpan(end - start);
  start = Math.min(Math.max(0, start), state.sound.seconds - span);
  state.visible = { start, end: start + span };
  state.frequencyRange = frequencyRange;
  emit('visible', { follow });
}

/** Show the whole sound in all its frequencies. */
export function showAll() {
  if (state.sound) show(0, state.sound.seconds, { frequencyRange: null });
}

/** Zoom in time by a factor (less than 1: closer) around a time, by default the playhead or the middle.
 * @param {number} factor
 * @param {number} [at]
 */
export function zoom(factor, at) {
  if (!state.sound) return;
  const { start, end } = state.visible;
  const now = audio.currentTime;
  const centre = at ?? (now > start && now < end ? now : (start + end) / 2);
  const span = possibleSpan((end - start) * factor); // at a limit nothing drifts
  const share = (centre - start) / (end - start);
  show(centre - share * span, centre + (1 - share) * span);
}

export function seek(seconds) {
  if (!state.sound) return;
  audio.currentTime = Math.min(Math.max(0, seconds), state.sound.seconds);
  emit('playhead');
}

/** Start a player, and show a message if the browser can't; resolves to whether it plays.
 * @param {HTMLAudioElement} [player]
 */
export async function play(player = audio) {
  try {
    await player.play();
    return true;
  } catch (error) {
    if (error.name !== 'AbortError') showMessage(t('player.play_failed')); // aborted: paused before it began
    return false;
  }
}

export function togglePlay() {
  if (!state.sound) return;
  if (audio.paused) play();
  else audio.pause();
}

/** Show a message that stays until it is closed or replaced. */
export function showMessage(text, kind = 'error') {
  emit('message', { text, kind });
}

/** @type {WeakMap<HTMLAudioElement, Set<(seconds: number) => void>>} */
const playheads = new WeakMap();
/** @type {Set<HTMLAudioElement>} players whose playheads the next frame draws */
const due = new Set();

function drawSoon(player) {
  if (!due.size) requestAnimationFrame(drawPlayheads);
  due.add(player);
}

function drawPlayheads() {
  const players = [...due];
  due.clear();
  players.filter((player) => !player.paused).forEach(drawSoon); // first: an error in a listener does not end it
  for (const player of players) playheads.get(player)?.forEach((draw) => draw(player.currentTime));
}
events.addEventListener('playhead', () => drawSoon(audio));

/** Call `draw` in each frame while a player plays, and once after each seek, until the signal aborts; one loop serves all.
 * @param {(seconds: number) => void} draw
 * @param {AbortSignal} [signal]
 * @param {HTMLAudioElement} [player]
 */
export function onPlayhead(draw, signal, player = audio) {
  if (!playheads.has(player)) {
    playheads.set(player, new Set());
    for (const name of ['play', 'pause', 'seeked', 'timeupdate', 'ended']) player.addEventListener(name, () => drawSoon(player));
  }
  const draws = playheads.get(player);
  draws.add(draw);
  signal?.addEventListener('abort', () => draws.delete(draw));
}
