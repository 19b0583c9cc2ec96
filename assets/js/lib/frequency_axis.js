// Frequency axes on a mel, linear, logarithmic or bark scale, and their ticks.

export const KINDS = ['mel', 'linear', 'log', 'bark']; // scales of `frequencyAxis`
const BREAK_HZ = 1000;
const HZ_PER_MEL = 200 / 3;
const LOG_STEP = Math.log(6.4) / 27;

export function hzToMel(hz, scale) {
  if (scale === 'htk') return 2595 * Math.log10(1 + hz / 700);
  return hz < BREAK_HZ ? hz / HZ_PER_MEL : BREAK_HZ / HZ_PER_MEL + Math.log(hz / BREAK_HZ) / LOG_STEP;
}

export function melToHz(mel, scale) {
  if (scale === 'htk') return 700 * (10 ** (mel / 2595) - 1);
  const breakMel = BREAK_HZ / HZ_PER_MEL;
  return mel < breakMel ? mel * HZ_PER_MEL : BREAK_HZ * Math.exp(LOG_STEP * (mel - breakMel));
}

/** Critical-band rate in bark: Traunmüller (1990), "Analytical expressions for the tonotopic sensory scale", with its
 *  corrections below 2 and above 20.1 bark. */
export function hzToBark(hz) {
  const z = (26.81 * hz) / (1960 + hz) - 0.53;
  if (z < 2) return z + 0.15 * (2 - z);
  return z > 20.1 ? z + 0.22 * (z - 20.1) : z;
}

function barkToHz(bark) {
  let z = bark;
  if (bark < 2) z = (bark - 0.3) / 0.85;
  else if (bark > 20.1) z = (bark + 0.22 * 20.1) / 1.22;
  return (1960 * (z + 0.53)) / (26.28 - z);
}

/** A frequency axis from the lowest to the highest band centre: share (0 bottom, 1 top) <-> Hz.
 * @param {string} kind one of KINDS
 * @param {number} low Hz
 * @param {number} high Hz
 * @param {string} [scale] of mel: 'htk' or 'slaney'
 */
export function frequencyAxis(kind, low, high, scale) {
  if (kind === 'log') low = Math.max(low, 20);
  const [to, from] = {
    mel: [(hz) => hzToMel(hz, scale), (mel) => melToHz(mel, scale)],
    linear: [(hz) => hz, (hz) => hz],
    log: [(hz) => Math.log(Math.max(hz, 1)), Math.exp],
    bark: [hzToBark, barkToHz],
  }[kind];
  const [a, b] = [to(low), to(high)];
  return { low, high, share: (hz) => (to(hz) - a) / (b - a), hz: (share) => from(a + share * (b - a)) };
}

const STEPS = [1, 2, 5];

/** Round numbers between low and high, at most `count` of them. */
export function ticks(low, high, count) {
  const raw = (high - low) / Math.max(1, count);
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = ([...STEPS, 10].find((s) => s * power >= raw) ?? 10) * power;
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => (first + i) * step);
}

/** Decimals that distinguish neighbouring ticks. */
export function tickDigits(values, single = 0) {
  return values.length > 1 ? Math.max(0, -Math.floor(Math.log10(values[1] - values[0]) + 1e-9)) : single;
}

/** Frequencies to label, at least `gap` apart.
 * @param {{low: number, high: number, share: (hz: number) => number}} axis
 * @param {string} kind one of KINDS
 * @param {number} gap as a share of the axis
 */
export function frequencyTicks(axis, kind, gap) {
  const even = ticks(axis.low, axis.high, 1 / gap);
  const decades = [0, ...[10, 100, 1000, 10000].flatMap((decade) => STEPS.map((step) => step * decade))];
  const kept = [];
  const inside = decades.filter((hz) => hz >= axis.low && hz <= axis.high);
  const most = kind === 'linear' || inside.length < 3 ? even : inside; // few decades: zoomed in
  const rounder = (hz) => Number(hz === 0 || Math.log10(hz) % 1 === 0); // crowded axes keep 0 and the powers of ten
  for (const hz of most.sort((a, b) => rounder(b) - rounder(a) || a - b)) {
    if (kept.every((other) => Math.abs(axis.share(hz) - axis.share(other)) >= gap)) kept.push(hz);
  }
  return kept.sort((a, b) => a - b);
}
