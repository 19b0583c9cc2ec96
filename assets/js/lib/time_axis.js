// Labels of a time axis: seconds; in long sounds minutes and seconds, hours and minutes, or the time of day.

import { tickDigits, ticks } from './frequency_axis.js';
import { formatTime, formatNumber, t } from './i18n.js';

const CLOCK_FROM_S = 120; // the axis shows clock times if it ends later
const HOUR_S = 3600;
const DAY_S = 24 * HOUR_S;
const CLOCK_STEPS_S = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, HOUR_S, 2 * HOUR_S]; // no sound is longer

/** A time of day from seconds after a midnight: 05:12:31. */
export function clockTime(seconds, digits = 0) {
  const ofDay = ((Number(seconds.toFixed(digits)) % DAY_S) + DAY_S) % DAY_S;
  const [hours, minutes] = [Math.floor(ofDay / HOUR_S), Math.floor((ofDay % HOUR_S) / 60)].map((one) => String(one).padStart(2, '0'));
  return `${hours}:${minutes}:${formatNumber(ofDay % 60, digits).padStart(digits ? digits + 3 : 2, '0')}`;
}

/** Times to label between two, on whole steps of a clock where the axis shows one, with digits that distinguish neighbours.
 * @param {number} start
 * @param {number} end
 * @param {number} count at most
 * @param {number | null} [origin] time of day at 0, in seconds, which long sounds show; null: unknown
 * @returns {{marks: [seconds: number, text: string][], name: string}} the labels, and the unit of the axis
 */
export function timeTicks(start, end, count, origin = null) {
  const raw = (end - start) / Math.max(1, count);
  const clock = end > CLOCK_FROM_S;
  const step = clock && raw > 0.5 ? CLOCK_STEPS_S.find((one) => one >= raw) : undefined;
  const shift = clock ? origin ?? 0 : 0;
  const times = (step ? multiples(step, start + shift, end + shift) : ticks(start + shift, end + shift, count)).map((time) => time - shift);
  const inHours = Boolean(step) && step >= 60 && end >= HOUR_S;
  const digits = step ? 0 : tickDigits(times, 2);
  const text = (time) => {
    if (!clock) return formatNumber(time, digits);
    if (origin !== null) return clockTime(origin + time, digits);
    return inHours ? formatTime(time / 60, 0).padStart(5, '0') : formatTime(time, digits); // 01:05, as minutes and seconds are written
  };
  const unit = origin !== null ? 'day' : inHours ? 'hours' : 'minutes';
  return { marks: times.map((time) => [time, text(time)]), name: t(clock ? `page.time_axis_${unit}` : 'page.time_axis') };
}

function multiples(step, start, end) {
  const first = Math.ceil(start / step - 1e-9);
  const last = Math.floor(end / step + 1e-9);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => (first + index) * step);
}
