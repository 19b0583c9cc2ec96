// Times and frequencies of a sound that is read with another time expansion.

/** Return an interval, range or box with its times multiplied by a factor, and its frequencies divided.
 * @template T
 * @param {T} box
 * @param {number} factor
 * @returns {T}
 */
export function rescaled(box, factor) {
  if (!box || factor === 1) return box;
  const scales = { start: factor, end: factor, low_hz: 1 / factor, high_hz: 1 / factor };
  const known = Object.entries(scales).filter(([name]) => Number.isFinite(box[name]));
  return { ...box, ...Object.fromEntries(known.map(([name, scale]) => [name, box[name] * scale])) };
}

/** Return a list of those with times and frequencies of another time expansion.
 * @template T
 * @param {readonly T[]} boxes
 * @param {number} factor
 * @returns {readonly T[]}
 */
export function rescaledList(boxes, factor) {
  return factor === 1 ? boxes : boxes.map((box) => rescaled(box, factor));
}
