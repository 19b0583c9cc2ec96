// Time of day in a recording whose file says when it began.

import { state } from './state.js';

/** Seconds from midnight to the start of the open sound; null where the file says nothing, or is shown slowed down. */
export function startOfDay() {
  const { recorded = '', expansion } = state.sound?.metadata ?? {};
  const clock = /T(\d\d):(\d\d):(\d\d)/.exec(recorded);
  if (!clock || (expansion && Number(expansion) !== state.sound.time_expansion)) return null;
  const [hours, minutes, seconds] = clock.slice(1).map(Number);
  return 3600 * hours + 60 * minutes + seconds;
}
