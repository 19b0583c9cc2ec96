// A recording for the player: all of it, up to a limit, as a WAV file.

import { openMicrophone } from './microphone.js';
import { PcmBuffer } from '../lib/pcm_buffer.js';

export const LIMIT_MINUTES = 10;

/** Start recording; resolves to {stop, level, seconds}. Throws what `openMicrophone` throws. To be called from a click. */
export async function record(onEnd) {
  let tape = null;
  let peak = 0;
  const hear = (samples) => {
    tape?.add(samples);
    for (const value of samples) peak = Math.max(peak, Math.abs(value));
    if (tape?.received >= LIMIT_MINUTES * 60 * tape.rate) onEnd(true);
  };
  const microphone = await openMicrophone(hear, () => onEnd(false));
  tape = new PcmBuffer(microphone.rate, LIMIT_MINUTES * 60);
  return {
    seconds: () => tape.received / tape.rate,
    level() { // the greatest sample since the last call
      const value = peak;
      peak = 0;
      return value;
    },
    async stop() {
      await microphone.close();
      return tape.file('recording');
    },
  };
}
