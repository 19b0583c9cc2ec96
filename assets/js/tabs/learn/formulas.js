// The formulas behind the lesson's figures, as pure functions.

import { powerToDb } from '../../lib/decibels.js';
import { Spectrum } from '../../lib/fft.js';
import { hzToMel, melToHz } from '../../lib/frequency_axis.js';

/** The frequency, in Hz, as which a tone of `hz` sounds after sampling at `rate`. */
export function aliasHz(hz, rate) {
  return Math.abs(hz - rate * Math.round(hz / rate));
}

/** Duration of a window of `size` samples, distance of its frequencies, and their product. */
export function uncertainty(size, rate) {
  const [seconds, hz] = [size / rate, rate / size];
  return { seconds, hz, product: seconds * hz };
}

/** How many times smaller an amplitude is `db` below another. */
export function amplitudeRatio(db) {
  return 10 ** (db / 20);
}

/** Samples taken `step` apart, without a filter. */
export function decimated(samples, step) {
  return Float32Array.from({ length: Math.ceil(samples.length / step) }, (_, i) => samples[i * step]);
}

/** Levels in dBFS of overlapping Hann windows, as a matrix (frames, size / 2 + 1) in one array; short sounds end in silence.
 * @param {Float32Array} samples
 * @param {number} size a power of two
 * @param {number} hop
 */
export function spectrogram(samples, size, hop) {
  const spectrum = new Spectrum(size);
  const [frames, bins] = [1 + Math.max(0, Math.floor((samples.length - size) / hop)), size / 2 + 1];
  const db = new Float32Array(frames * bins);
  const window = new Float32Array(size);
  for (let frame = 0; frame < frames; frame++) {
    window.fill(0);
    window.set(samples.subarray(frame * hop, frame * hop + size));
    db.set(spectrum.levels(window), frame * bins);
  }
  return { db, frames, bins };
}

/** The sines of a frame, strongest first, and the sum of the first `count` of them.
 * @param {Float32Array} samples as many as a power of two
 * @param {number} count
 */
export function strongestSines(samples, count) {
  const size = samples.length;
  const fft = new Spectrum(size);
  for (let i = 0; i < size; i++) fft.real[fft.order[i]] = samples[i];
  fft.imaginary.fill(0);
  fft.transform();
  const { real, imaginary } = fft;
  const weight = (k) => (k === 0 || k === size / 2 ? 1 : 2); // the others stand at their negative frequencies, too
  const energies = Float64Array.from({ length: size / 2 + 1 }, (_, k) => weight(k) * (real[k] ** 2 + imaginary[k] ** 2));
  const order = [...energies.keys()].sort((a, b) => energies[b] - energies[a]);
  const bins = order.slice(0, count);
  const sum = new Float32Array(size);
  for (const k of bins) {
    for (let i = 0; i < size; i++) {
      const angle = (2 * Math.PI * ((k * i) % size)) / size;
      sum[i] += (weight(k) / size) * (real[k] * Math.cos(angle) - imaginary[k] * Math.sin(angle));
    }
  }
  const total = energies.reduce((all, energy) => all + energy, 0);
  const share = total ? bins.reduce((all, k) => all + energies[k], 0) / total : 1;
  return { bins, energies, sum, share };
}

/** Triangular filters equally wide in mel (HTK's formula), with a peak of 1.
 * @param {number} count
 * @param {number} low Hz
 * @param {number} high Hz
 */
export function melFilters(count, low, high) {
  const [a, b] = [hzToMel(low, 'htk'), hzToMel(high, 'htk')];
  const edges = Array.from({ length: count + 2 }, (_, i) => melToHz(a + ((b - a) * i) / (count + 1), 'htk'));
  return Array.from({ length: count }, (_, i) => ({ low: edges[i], centre: edges[i + 1], high: edges[i + 2] }));
}

/** The weight of a filter at a frequency. */
export function filterWeight({ low, centre, high }, hz) {
  return Math.max(0, Math.min((hz - low) / (centre - low), (high - hz) / (high - centre)));
}

/** Mel levels in dB of a frame of levels from `spectrogram`; `floor` is the least level. */
export function melLevels(db, filters, hzPerBin, floor) {
  return filters.map((filter) => {
    let power = 0;
    for (let k = Math.ceil(filter.low / hzPerBin); k * hzPerBin < filter.high && k < db.length; k++) {
      power += filterWeight(filter, k * hzPerBin) * 10 ** (db[k] / 10);
    }
    return Math.max(floor, powerToDb(power));
  });
}

const dctWeight = (k, n) => Math.sqrt((k ? 2 : 1) / n);
const dctCosine = (k, i, n) => Math.cos((Math.PI * k * (i + 0.5)) / n);

/** The orthonormal discrete cosine transform of type II, which makes MFCC of mel levels. */
export function cepstrum(levels) {
  const n = levels.length;
  return levels.map((_, k) => dctWeight(k, n) * levels.reduce((sum, level, i) => sum + level * dctCosine(k, i, n), 0));
}

/** The levels that the first `count` coefficients give back. */
export function envelope(coefficients, count) {
  const n = coefficients.length;
  const kept = coefficients.slice(0, count);
  return coefficients.map((_, i) => kept.reduce((sum, c, k) => sum + c * dctWeight(k, n) * dctCosine(k, i, n), 0));
}

/** Root of the mean squared difference. */
export function rmsDifference(one, other) {
  return Math.sqrt(one.reduce((sum, value, i) => sum + (value - other[i]) ** 2, 0) / one.length);
}

/** The held-out clips in the bins of confidence from `first`: how many, and the share of right answers.
 * @param {{clips: number, accuracy: number | null}[]} bins
 * @param {number} first
 */
export function confidentClips(bins, first) {
  const kept = bins.slice(first);
  const clips = kept.reduce((sum, bin) => sum + bin.clips, 0);
  const right = kept.reduce((sum, bin) => sum + bin.clips * (bin.accuracy ?? 0), 0);
  return { clips, accuracy: clips ? right / clips : null };
}

/** Intervals to mask, each [from, to] as shares of an axis, the same for the same seed (SpecAugment).
 * @param {number} count
 * @param {number} widest share of the axis
 * @param {number} seed
 */
export function masks(count, widest, seed) {
  const random = mulberry32(seed);
  return Array.from({ length: count }, () => {
    const width = widest * random();
    const from = (1 - width) * random();
    return [from, from + width];
  });
}

/** The mixture of two matrices of levels in dB, each first brought to the same mean power; as in training, powers add with the
 * squares of the shares.
 * @param {Float32Array} one
 * @param {Float32Array} other of the same length
 * @param {number} share of the first
 */
export function mixedLevels(one, other, share) {
  const meanPower = (levels) => levels.reduce((sum, level) => sum + 10 ** (level / 10), 0) / levels.length;
  const [a, b] = [share ** 2 / meanPower(one), (1 - share) ** 2 / meanPower(other)];
  return one.map((level, i) => powerToDb(a * 10 ** (level / 10) + b * 10 ** (other[i] / 10)));
}

/** Return a generator of random numbers below 1 (Tommy Ettinger's mulberry32). */
function mulberry32(seed) {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
