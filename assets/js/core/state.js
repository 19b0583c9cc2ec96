// The state shared by all parts of the page: the open sound, its audio element, the visible time range and the selection.
// Changes are announced as events.

import { t } from '../lib/i18n.js';

const SHORTEST_S = 0.01;
export const events = new EventTarget();
export const audio = new Audio();
audio.preload = 'auto';

export const state = {
  sound: null, // what the server said of the open sound
  visible: { start: 0, end: 1 }, // seconds
  frequencyRange: null, // the shown frequencies, { low_hz, high_hz }; null: all that a view has
  selection: null, // or { start, end, low_hz, high_hz }: seconds and Hz; null for both Hz: all frequencies
};

export function emit(name, detail = {}) {
  events.dispatchEvent(new CustomEvent(name, { detail }));
}

export function setSound(sound) {
  state.sound = sound;
  state.visible = { start: 0, end: sound.seconds };
  state.frequencyRange = null;
  select(null);
  emit('sound');
}

/** Select a stretch of time, in all frequencies or between two of them, kept inside the sound; null: nothing. */
export function select(selection) {
  const before = state.selection;
  state.selection = selection && state.sound ? inside(selection, state.sound) : null;
  if (before || state.selection) emit('selection');
}

function inside(selection, { seconds, sample_rate: rate }) {
  const between = (a, b, most) => [a, b].map((value) => Math.min(Math.max(0, value), most)).sort((one, other) => one - other);
  const banded = (selection.low_hz ?? null) !== null && (selection.high_hz ?? null) !== null;
  const wanted = [selection.start, selection.end, ...(banded ? [selection.low_hz, selection.high_hz] : [])];
  if (!wanted.every(Number.isFinite)) throw new RangeError(`a selection of ${JSON.stringify(selection)}`);
  const [start, end] = between(selection.start, selection.end, seconds);
  const [low_hz, high_hz] = banded ? between(selection.low_hz, selection.high_hz, rate / 2) : [null, null];
  return end > start && (!banded || high_hz > low_hz) ? { start, end, low_hz, high_hz } : null;
}

/** Show another stretch of time, kept inside the sound and no shorter than 10 ms, and perhaps another band of frequencies.
 *
 * `follow`: the play head went there, not the user.
 */
export function show(start, end, { frequencyRange = state.frequencyRange, follow = false } = {}) {
  if (!state.sound) return;
  const total = state.sound.seconds;
  const span = Math.min(total, Math.max(Math.min(SHORTEST_S, total), end - start));
  start = Math.min(Math.max(0, start), total - span);
  state.visible = { start, end: start + span };
  state.frequencyRange = frequencyRange;
  emit('visible', { follow });
}

/** Show the whole sound in all its frequencies. */
export function showAll() {
  if (state.sound) show(0, state.sound.seconds, { frequencyRange: null });
}

export function zoom(factor, at) {
  if (!state.sound) return;
  const { start, end } = state.visible;
  const now = audio.currentTime;
  const centre = at ?? (now > start && now < end ? now : (start + end) / 2); // the play head stays where it is seen
  const { seconds } = state.sound;
  const span = Math.min(seconds, Math.max(Math.min(SHORTEST_S, seconds), (end - start) * factor)); // at a limit nothing drifts
  const share = (centre - start) / (end - start);
  show(centre - share * span, centre + (1 - share) * span);
}

export function seek(seconds) {
  if (!state.sound) return;
  audio.currentTime = Math.min(Math.max(0, seconds), state.sound.seconds);
  emit('playhead');
}

export function togglePlay() {
  if (!state.sound) return;
  if (audio.paused) audio.play().catch((error) => { if (error.name !== 'AbortError') showMessage(t('player.play_failed')); });
  else audio.pause();
}

/** Show a message that stays until it is closed or replaced. */
export function showMessage(text, kind = 'error') {
  emit('message', { text, kind });
}

/** @type {Set<(seconds: number) => void>} */
const playheadListeners = new Set();
let frame = 0;

function tick() {
  frame = audio.paused ? 0 : requestAnimationFrame(tick); // first, so that no error in a listener ends the loop
  for (const draw of playheadListeners) draw(audio.currentTime);
}

function wake() {
  frame ||= requestAnimationFrame(tick);
}
for (const name of ['play', 'pause', 'seeked', 'timeupdate', 'ended']) audio.addEventListener(name, wake);
events.addEventListener('playhead', wake);

/** Call `draw` on each frame while the sound plays, and once after each seek, until the signal aborts; one loop serves all.
 * @param {(seconds: number) => void} draw
 * @param {AbortSignal} [signal]
 */
export function onPlayhead(draw, signal) {
  playheadListeners.add(draw);
  signal?.addEventListener('abort', () => playheadListeners.delete(draw));
}
