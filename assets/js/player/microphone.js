// The microphone: unfiltered samples at the audio system's rate. The browser's voice filters would remove rain, wind and claps.

import { t } from '../lib/i18n.js';

const UNFILTERED = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
const WORKLET = `registerProcessor('tap', class extends AudioWorkletProcessor {
  process([input]) {
    if (input.length) {
      const mono = new Float32Array(input[0].length);
      for (const channel of input) for (let i = 0; i < mono.length; i++) mono[i] += channel[i] / input.length;
      this.port.postMessage(mono, [mono.buffer]);
    }
    return true;
  }
});`;

/** Open the microphone; to be called from a click. Throws as getUserMedia does, see `microphoneError`.
 * @param {(samples: Float32Array) => void} onSamples gets the mean of the channels, 128 samples at a time
 * @param {() => void} onEnd called when the device is gone
 */
export async function openMicrophone(onSamples, onEnd) {
  if (!navigator.mediaDevices?.getUserMedia || !window.AudioWorkletNode) {
    throw new DOMException('', window.isSecureContext ? 'NotSupportedError' : 'InsecureError');
  }
  const context = new AudioContext(); // inside the click: Safari starts a later one suspended and would record silence
  let stream = null;
  try {
    const resumed = context.resume();
    stream = await openStream();
    await resumed;
    const url = URL.createObjectURL(new Blob([WORKLET], { type: 'text/javascript' }));
    await context.audioWorklet.addModule(url);
    URL.revokeObjectURL(url);
    return new Microphone(context, stream, onSamples, onEnd);
  } catch (error) {
    stopTracks(stream);
    context.close();
    throw error;
  }
}

const openStream = (device = '') =>
  navigator.mediaDevices.getUserMedia({ audio: { ...UNFILTERED, ...(device && { deviceId: { exact: device } }) } });

const stopTracks = (stream) => stream?.getTracks().forEach((track) => track.stop());

class Microphone {
  closed = false;
  /** @type {MediaStream | null} */
  stream = null;
  /** @type {MediaStreamAudioSourceNode | null} */
  source = null;

  constructor(context, stream, onSamples, onEnd) {
    this.context = context;
    this.rate = context.sampleRate;
    this.onEnd = onEnd;
    this.tap = new AudioWorkletNode(context, 'tap');
    this.tap.port.onmessage = ({ data }) => { if (!this.closed) onSamples(data); };
    this.tap.connect(context.destination); // its output is silent; browsers may not run unconnected nodes
    this.connect(stream);
  }

  connect(stream) {
    const source = this.context.createMediaStreamSource(stream);
    source.connect(this.tap);
    stream.getAudioTracks().forEach((track) => { track.onended = () => { if (this.stream === stream) this.onEnd(); }; });
    this.source?.disconnect();
    stopTracks(this.stream);
    [this.stream, this.source] = [stream, source];
  }

  /** Change to another device, at the same rate; throws as `openMicrophone`, and the old one goes on then. */
  async use(device) {
    const stream = await openStream(device);
    if (this.closed) stopTracks(stream);
    else this.connect(stream);
  }

  get track() {
    return this.stream.getAudioTracks()[0];
  }

  async close() {
    if (this.closed) return;
    this.closed = true;
    stopTracks(this.stream);
    this.source.disconnect();
    this.tap.disconnect();
    await this.context.close();
  }
}

/** The microphones, [{id, name}]; their names are known once one of them may be used. */
export async function microphones() {
  const devices = await navigator.mediaDevices.enumerateDevices();
  return devices.filter(({ kind }) => kind === 'audioinput').map(({ deviceId, label }) => ({ id: deviceId, name: label }));
}

const MESSAGES = {
  NotAllowedError: 'player.mic_denied',
  SecurityError: 'player.mic_denied',
  NotFoundError: 'player.mic_missing',
  OverconstrainedError: 'player.mic_missing', // the chosen one was unplugged
  NotReadableError: 'player.mic_taken',
  InsecureError: 'player.mic_insecure',
  NotSupportedError: 'player.mic_unsupported',
};

/** The message of a microphone's error, with what to do. */
export function microphoneError(error) {
  return t(MESSAGES[error.name] ?? 'player.mic_failed', { reason: error.message || error.name });
}
