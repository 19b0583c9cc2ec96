// Labels of a time axis: seconds; in long sounds minutes and seconds, or hours and minutes.

import { tickDigits, ticks } from './frequency_axis.js';
import { formatTime, formatNumber, t } from './i18n.js';

const CLOCK_FROM_S = 120; // the axis shows clock times if it ends later
const HOUR_S = 3600;
const CLOCK_STEPS_S = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, HOUR_S, 2 * HOUR_S]; // no sound is longer

/** Times to label between two, on whole steps of a clock where the axis shows one, with digits that distinguish neighbours.
 * @param {number} start
 * @param {number} end
 * @param {number} count at most
 * @returns {{marks: [seconds: number, text: string][], name: string}} the labels, and the unit of the axis
 */
export function timeTicks(start, end, count) {
  const raw = (end - start) / Math.max(1, count);
  const step = end > CLOCK_FROM_S && raw > 0.5 ? CLOCK_STEPS_S.find((one) => one >= raw) : undefined;
  const times = step ? multiples(step, start, end) : ticks(start, end, count);
  const inHours = Boolean(step) && step >= 60 && end >= HOUR_S;
  const digits = tickDigits(times, 2);
  const text = (time) => {
    if (inHours) return formatTime(time / 60, 0).padStart(5, '0'); // 01:05, as minutes and seconds are written
    return end > CLOCK_FROM_S ? formatTime(time, step ? 0 : digits) : formatNumber(time, digits);
  };
  const unit = inHours ? 'hours' : end > CLOCK_FROM_S ? 'minutes' : '';
  return { marks: times.map((time) => [time, text(time)]), name: t(unit ? `page.time_axis_${unit}` : 'page.time_axis') };
}

function multiples(step, start, end) {
  const first = Math.ceil(start / step - 1e-9);
  const last = Math.floor(end / step + 1e-9);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => (first + index) * step);
}
