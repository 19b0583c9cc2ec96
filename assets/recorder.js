// The microphone as it is: 16-bit PCM at the device's own rate, with the browser's voice filters off, since they would
// take out rain, wind and claps.

export const CONSTRAINTS = {
  audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: false },
};
export const LIMIT_MINUTES = 10;

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

/** Start recording; resolves to {stop, level, seconds}. Throws what getUserMedia throws. To be called from a click. */
export async function record(onEnd) {
  if (!navigator.mediaDevices?.getUserMedia) throw new DOMException('insecure page or no support', 'NotSupportedError');
  const context = new AudioContext(); // inside the click: Safari starts a later one suspended and would record silence
  let stream = null;
  try {
    const resumed = context.resume();
    stream = await navigator.mediaDevices.getUserMedia(CONSTRAINTS);
    await resumed;
    const url = URL.createObjectURL(new Blob([WORKLET], { type: 'text/javascript' }));
    await context.audioWorklet.addModule(url);
    URL.revokeObjectURL(url);
    return tapped(context, stream, onEnd);
  } catch (error) {
    stream?.getTracks().forEach((track) => track.stop());
    context.close();
    throw error;
  }
}

function tapped(context, stream, onEnd) {
  const tap = new AudioWorkletNode(context, 'tap');
  const chunks = [];
  let samples = 0;
  let peak = 0;
  tap.port.onmessage = ({ data }) => {
    const pcm = new Int16Array(data.length);
    for (let i = 0; i < data.length; i++) {
      pcm[i] = Math.max(-32768, Math.min(32767, Math.round(data[i] * 32767)));
      peak = Math.max(peak, Math.abs(data[i]));
    }
    chunks.push(pcm);
    samples += pcm.length;
    if (samples > LIMIT_MINUTES * 60 * context.sampleRate) onEnd(true);
  };
  const source = context.createMediaStreamSource(stream);
  source.connect(tap);
  tap.connect(context.destination); // it gives out silence; unconnected nodes may be left unrun
  stream.getAudioTracks().forEach((track) => { track.onended = () => onEnd(false); }); // the device was unplugged
  return {
    seconds: () => samples / context.sampleRate,
    level() { // the greatest sample since the last call
      const value = peak;
      peak = 0;
      return value;
    },
    async stop() {
      stream.getTracks().forEach((track) => track.stop());
      source.disconnect();
      tap.disconnect();
      const file = wav(chunks, samples, context.sampleRate);
      await context.close();
      return file;
    },
  };
}

function wav(chunks, samples, rate) {
  const header = new DataView(new ArrayBuffer(44));
  const text = (at, value) => [...value].forEach((c, i) => header.setUint8(at + i, c.charCodeAt(0)));
  text(0, 'RIFF');
  header.setUint32(4, 36 + samples * 2, true);
  text(8, 'WAVEfmt ');
  header.setUint32(16, 16, true);
  header.setUint16(20, 1, true);
  header.setUint16(22, 1, true);
  header.setUint32(24, rate, true);
  header.setUint32(28, rate * 2, true);
  header.setUint16(32, 2, true);
  header.setUint16(34, 16, true);
  text(36, 'data');
  header.setUint32(40, samples * 2, true);
  const stamp = new Date().toISOString().slice(0, 19).replace(/[:T]/g, '-');
  return new File([header, ...chunks], `recording-${stamp}.wav`, { type: 'audio/wav' });
}
