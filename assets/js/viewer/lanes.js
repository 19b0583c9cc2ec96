// Lanes for marks on one time axis: those that overlap are stacked.

const TOUCH_S = 1e-6; // an end up to this much after the next start is none

/** For each interval, in order of time, the first lane that is free when it begins; null where none of `most` is.
 * @param {readonly {start: number, end: number}[]} intervals
 * @param {number} [most]
 */
export function lanesOf(intervals, most = Infinity) {
  const ends = [];
  return intervals.map(({ start, end }) => {
    const free = ends.findIndex((last) => last <= start + TOUCH_S);
    const lane = free < 0 ? ends.length : free;
    if (lane >= most) return null;
    ends[lane] = end;
    return lane;
  });
}
