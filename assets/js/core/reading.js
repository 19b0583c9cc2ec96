// How the open sound's file is read: which channel, divided by which full scale, with which time expansion.

import { emit, state } from './state.js';

/** @typedef {{channel: string, full_scale: number, time_expansion: number}} Reading */

/** How an open sound is read. @returns {Reading} */
export function readingOf({ channel, full_scale, time_expansion }) {
  return { channel, full_scale, time_expansion };
}

export const sameReading = (one, other) => JSON.stringify(one) === JSON.stringify(other);

/** The request for a sound's file read otherwise.
 * @param {any} sound
 * @param {Partial<Reading>} changes
 */
export const readOtherwise = (sound, changes) => ({ sound: sound.id, ...readingOf(sound), ...changes, example: sound.example });

/** Read the open sound's file otherwise.
 * @param {Partial<Reading>} changes
 * @param {(done: boolean) => void} [settled] called with whether it is
 */
export function readAs(changes, settled) {
  emit('open', { name: state.sound.name, request: readOtherwise(state.sound, changes), settled });
}

/** Read the open sound with another time expansion. */
export function expandTime(time_expansion) {
  const { time_expansion: before } = state.sound;
  readAs({ time_expansion }, (done) => { if (done) followExpansion(before); });
}

/** Emit 'expanded' where the time expansion is another than before: the views can follow. */
export function followExpansion(before) {
  const factor = state.sound.time_expansion / before;
  if (factor !== 1) emit('expanded', { factor });
}
