// Recorder: a recording of limited length as a WAV file.

import { PcmBuffer } from '../lib/pcm_buffer.js';
import { openMicrophone } from './microphone.js';

export const LIMIT_MINUTES = 10;

/** Start recording; to be called from a click. Throws as `openMicrophone` does.
 * @param {(limit: boolean) => void} onEnd called when the limit is reached or the device is gone
 */
export async function record(onEnd) {
  /** @type {PcmBuffer | null} */
  let buffer = null;
  let peak = 0;
  const add = (samples) => {
    buffer?.add(samples);
    for (const value of samples) peak = Math.max(peak, Math.abs(value));
    if (buffer?.received >= LIMIT_MINUTES * 60 * buffer.rate) onEnd(true);
  };
  const microphone = await openMicrophone(add, () => onEnd(false));
  buffer = new PcmBuffer(microphone.rate, LIMIT_MINUTES * 60);
  return {
    seconds: () => buffer.received / buffer.rate,
    level() { // the greatest sample since the last call
      const value = peak;
      peak = 0;
      return value;
    },
    async stop() {
      await microphone.close();
      return buffer.file('recording');
    },
  };
}
