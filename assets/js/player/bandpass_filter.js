// Band-pass filter of Web Audio biquads between the audio element and the loudspeakers.

import { audio } from '../core/state.js';

const ORDER = 12; // of each edge: 12 % outside the band a tone is 28 dB down, an octave outside 115 dB
const RIPPLE_DB = 0.1;
const LEAST_HZ = 10; // a lower edge cuts nothing audible
const MOST = 0.98; // of half the rate; a higher edge cuts nothing either

/** Frequency, in units of the edge, and quality of each second-order section of a Chebyshev low-pass (type I).
 *
 * Its poles lie on an ellipse: see Oppenheim & Schafer, "Discrete-Time Signal Processing", appendix B.2.
 */
function prototype() {
  const width = Math.asinh(1 / Math.sqrt(10 ** (RIPPLE_DB / 10) - 1)) / ORDER;
  return Array.from({ length: ORDER / 2 }, (_, k) => {
    const angle = ((2 * k + 1) * Math.PI) / (2 * ORDER);
    const [real, imaginary] = [Math.sinh(width) * Math.sin(angle), Math.cosh(width) * Math.cos(angle)];
    const radius = Math.hypot(real, imaginary);
    return { radius, quality: radius / (2 * real) };
  }).reverse(); // low resonances first: no section amplifies what another has raised
}

/** The filter's nodes, to be connected in series; none if the band is all that the context can play.
 * @param {BaseAudioContext} context
 * @param {number} low Hz
 * @param {number} high Hz
 */
export function bandPass(context, low, high) {
  const { sampleRate: rate } = context;
  const edge = (type, hz, scale) => prototype().map(({ radius, quality }) => {
    const node = context.createBiquadFilter();
    node.type = type;
    // the bilinear transform bends frequencies; the edge itself must stay
    node.frequency.value = (rate / Math.PI) * Math.atan(scale(radius) * Math.tan((Math.PI * hz) / rate));
    node.Q.value = 20 * Math.log10(quality); // Web Audio takes it in dB for these two types
    return node;
  });
  return [
    ...(low > LEAST_HZ ? edge('highpass', Math.min(low, (MOST * rate) / 2), (radius) => 1 / radius) : []),
    ...(high < (MOST * rate) / 2 ? edge('lowpass', high, (radius) => radius) : []),
  ];
}

let graph = null;

/** Pass only frequencies from low to high, or everything.
 * @param {{low: number, high: number} | null} band Hz
 */
export function filterTo(band) {
  if (!graph && !band) return; // an element that was never filtered plays without Web Audio
  graph ??= open();
  const { context, source } = graph;
  for (const node of [source, ...graph.nodes]) node.disconnect();
  graph.nodes = band ? bandPass(context, band.low, band.high) : [];
  [source, ...graph.nodes, context.destination].reduce((from, to) => from.connect(to));
  if (!audio.paused) context.resume();
}

function open() {
  const context = new AudioContext();
  audio.addEventListener('play', () => context.resume());
  return { context, source: context.createMediaElementSource(audio), nodes: [] };
}
