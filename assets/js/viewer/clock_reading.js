// Time of day in the readout, where the file says when it was recorded.

import { startOfDay } from '../core/time_of_day.js';
import { clockTime } from '../lib/time_axis.js';

export function clockReading() {
  return {
    reading: (time) => {
      const origin = startOfDay();
      return origin === null ? '' : clockTime(origin + time);
    },
  };
}
