// The labels of a time axis: seconds, or a clock where the sound is long.

import { ticks } from './frequency_axis.js';
import { formatTime, formatNumber } from './i18n.js';

/** Round times between two, at most `count` of them: [seconds, text], with as many digits as tell neighbours apart. */
export function timeTicks(start, end, count) {
  const times = ticks(start, end, count);
  const digits = times.length > 1 ? Math.max(0, -Math.floor(Math.log10(times[1] - times[0]) + 1e-9)) : 2;
  return times.map((time) => [time, end > 120 ? formatTime(time, digits) : formatNumber(time, digits)]);
}
