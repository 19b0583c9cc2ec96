// Sounds of the lesson, played on request.

import { play } from '../../core/state.js';
import { PcmBuffer } from '../../lib/pcm_buffer.js';
import { clipPlayer } from '../../player/clip_player.js';

const LEAST_RATE = 4000; // browsers refuse files of less

export class LessonSounds {
  /** @param {AbortSignal} signal */
  constructor(signal) {
    this.clip = clipPlayer(signal);
    signal.addEventListener('abort', () => this.forget());
  }

  /** Play samples at a rate of any size. */
  play({ samples, rate }) {
    this.stop();
    this.forget();
    const factor = Math.max(1, Math.ceil(LEAST_RATE / rate));
    const buffer = new PcmBuffer(rate * factor, Math.ceil(samples.length / rate) + 1);
    buffer.add(factor === 1 ? samples : interpolated(samples, factor));
    this.clip.src = URL.createObjectURL(buffer.file('lesson'));
    return play(this.clip);
  }

  stop() {
    this.clip.pause();
  }

  forget() {
    if (this.clip.src) URL.revokeObjectURL(this.clip.src);
  }
}

/** Samples with others on straight lines between them. */
function interpolated(samples, factor) {
  return Float32Array.from({ length: samples.length * factor }, (_, i) => {
    const [at, share] = [Math.floor(i / factor), (i % factor) / factor];
    return samples[at] + ((samples[at + 1] ?? samples[at]) - samples[at]) * share;
  });
}
