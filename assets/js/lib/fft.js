// Spectrum of samples in dBFS: a Hann window and a radix-2 FFT.

import { powerToDb } from './decibels.js';

/** Spectra of `size` samples, a power of two. */
export class Spectrum {
  constructor(size) {
    this.size = size;
    this.window = Float64Array.from({ length: size }, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / size));
    this.cos = Float64Array.from({ length: size / 2 }, (_, i) => Math.cos((2 * Math.PI * i) / size));
    this.sin = Float64Array.from({ length: size / 2 }, (_, i) => Math.sin((2 * Math.PI * i) / size));
    this.order = new Uint32Array(size); // reversed bits
    for (let i = 1; i < size; i++) this.order[i] = (this.order[i >> 1] >> 1) | (i & 1 && size / 2);
    this.real = new Float64Array(size);
    this.imaginary = new Float64Array(size);
    this.db = new Float32Array(size / 2 + 1);
  }

  /** Return size / 2 + 1 levels in an array that the next call overwrites; a full-scale sine is at 0 dBFS.
   * @param {Float32Array | number[]} samples
   */
  levels(samples) {
    const { size, real, imaginary, order, window, db } = this;
    for (let i = 0; i < size; i++) real[order[i]] = samples[i] * window[i];
    imaginary.fill(0);
    this.transform();
    const scale = (4 / size) ** 2; // the window's samples sum to size / 2, and half of a sine lies at its negative frequency
    for (let k = 0; k < db.length; k++) {
      db[k] = powerToDb(scale * (real[k] * real[k] + imaginary[k] * imaginary[k]));
    }
    return db;
  }

  /** Cooley and Tukey's algorithm in place; the input lies in bit-reversed order. */
  transform() {
    const { size, real, imaginary, cos, sin } = this;
    for (let half = 1; half < size; half *= 2) {
      const step = size / (2 * half);
      for (let start = 0; start < size; start += 2 * half) {
        for (let k = 0; k < half; k++) {
          const [a, b] = [start + k, start + k + half];
          const [c, s] = [cos[k * step], sin[k * step]];
          const re = real[b] * c + imaginary[b] * s;
          const im = imaginary[b] * c - real[b] * s;
          real[b] = real[a] - re;
          imaginary[b] = imaginary[a] - im;
          real[a] += re;
          imaginary[a] += im;
        }
      }
    }
  }
}
