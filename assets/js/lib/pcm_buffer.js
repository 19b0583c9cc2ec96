// Ring buffer of 16-bit PCM in blocks of a second; the oldest block is dropped first.

export class PcmBuffer {
  /** @type {Int16Array[]} one second each, the last one partly filled */
  blocks = [];
  filled = 0; // samples in the last block
  received = 0; // samples added in total

  /**
   * @param {number} rate
   * @param {number} seconds how much is kept, and at most one second more
   */
  constructor(rate, seconds) {
    this.rate = Math.round(rate);
    this.seconds = seconds;
  }

  /** Samples that are kept. */
  get length() {
    return this.blocks.length ? (this.blocks.length - 1) * this.rate + this.filled : 0;
  }

  /** @param {ArrayLike<number> & Iterable<number>} samples between -1 and 1 */
  add(samples) {
    for (const value of samples) {
      if (!this.blocks.length || this.filled === this.rate) this.addBlock();
      this.blocks.at(-1)[this.filled] = Math.max(-32768, Math.min(32767, Math.round(value * 32767)));
      this.filled += 1;
    }
    this.received += samples.length;
  }

  addBlock() {
    const spare = this.blocks.length > this.seconds ? this.blocks.shift() : new Int16Array(this.rate);
    this.blocks.push(spare);
    this.filled = 0;
  }

  /** The newest samples, at most `count`, as an Int16Array. */
  last(count) {
    const wanted = Math.max(0, Math.min(Math.round(count), this.length));
    const samples = new Int16Array(wanted);
    let to = wanted;
    for (let b = this.blocks.length - 1; b >= 0 && to > 0; b--) {
      const used = b === this.blocks.length - 1 ? this.filled : this.rate;
      const part = this.blocks[b].subarray(Math.max(0, used - to), used);
      to -= part.length;
      samples.set(part, to);
    }
    return samples;
  }

  /** Return the samples as a WAV file whose name begins with `name`. */
  file(name) {
    const samples = this.last(this.seconds * this.rate);
    const stamp = new Date().toISOString().slice(0, 19).replace(/[:T]/g, '-');
    const header = [ // mono PCM, 2 bytes a sample
      'RIFF', Uint32Array.of(36 + samples.byteLength), 'WAVEfmt ', Uint32Array.of(16), Uint16Array.of(1, 1),
      Uint32Array.of(this.rate, 2 * this.rate), Uint16Array.of(2, 16), 'data', Uint32Array.of(samples.byteLength),
    ];
    return new File([...header, samples], `${name}-${stamp}.wav`, { type: 'audio/wav' });
  }
}
