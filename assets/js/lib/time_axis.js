// Labels of a time axis: seconds, or clock times in long sounds.

import { tickDigits, ticks } from './frequency_axis.js';
import { formatTime, formatNumber } from './i18n.js';

/** Round times between two, with as many digits as distinguish neighbours.
 * @param {number} start
 * @param {number} end
 * @param {number} count at most
 * @returns {[seconds: number, text: string][]}
 */
export function timeTicks(start, end, count) {
  const times = ticks(start, end, count);
  const digits = tickDigits(times, 2);
  return times.map((time) => [time, end > 120 ? formatTime(time, digits) : formatNumber(time, digits)]);
}
