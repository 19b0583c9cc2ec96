// How the open sound's file is read: which channel, divided by which full scale, with which time expansion.

import { emit, state } from './state.js';

/** @typedef {{channel: string, full_scale: number, time_expansion: number}} Reading */

/** How an open sound is read. @returns {Reading} */
export function readingOf({ channel, full_scale, time_expansion }) {
  return { channel, full_scale, time_expansion };
}

export const sameReading = (one, other) => JSON.stringify(one) === JSON.stringify(other);

/** Read the open sound's file otherwise.
 * @param {Partial<Reading>} changes
 * @param {() => void} [opened] called once it is
 */
export function readAs(changes, opened) {
  const { id, name, example } = state.sound;
  emit('open', { name, request: { sound: id, ...readingOf(state.sound), ...changes, example }, opened });
}

/** Read the open sound with another time expansion; 'expanded' tells the views, which can follow. */
export function expandTime(time_expansion) {
  const factor = time_expansion / state.sound.time_expansion;
  readAs({ time_expansion }, () => emit('expanded', { factor }));
}
