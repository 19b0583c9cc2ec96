// Drawing of a waveform: the envelope and RMS of each column, or the samples where there are few.

import { state } from '../core/state.js';
import { decodeBase64 } from '../lib/dom.js';

const ENVELOPE_ALPHA = 0.55;
const DOTS_UP_TO = 120; // samples
const COLUMN_EPS = 1e-6;

/** The server's answer with its values: minimum, maximum and RMS of each column, or the samples; the same of each channel. */
export function decodeWaveform(answer) {
  const floats = (text) => new Float32Array(decodeBase64(text).buffer);
  return { ...answer, values: floats(answer.envelope), channels: floats(answer.channels) };
}

/** Write a channel's name at its upper left corner. */
export function drawTag(context, text, left, top, style) {
  if (!text) return;
  context.globalAlpha = 1;
  context.font = `600 12px ${style.fontFamily}`;
  [context.textAlign, context.textBaseline] = ['left', 'top'];
  context.fillStyle = style.getPropertyValue('--body-background-fill');
  context.globalAlpha = 0.8;
  context.fillRect(left - 3, top - 3, context.measureText(text).width + 6, 18);
  context.globalAlpha = 1;
  context.fillStyle = style.color;
  context.fillText(text, left, top);
}

/** Amplitude at the upper edge: the sound's peak, rounded up. */
export function maxAmplitude() {
  const peak = state.sound.peak_db === null ? 0.01 : 10 ** (state.sound.peak_db / 20);
  return [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1].find((limit) => limit >= peak * 0.999) ?? peak;
}

/** The part of a waveform between two times in at most `most` columns: minimum, maximum and RMS of those that each overlaps.
 * Samples are drawn as a line, however many.
 * @param {any} data of `decodeWaveform`
 * @param {{start: number, end: number}} interval
 * @param {number} most
 */
export function wavePart(data, { start, end }, most) {
  const { values, columns: all, start: left, end: right } = data;
  const columnOf = (time) => ((time - left) / (right - left)) * all;
  const [from, to] = [columnOf(start), columnOf(end)];
  if (data.samples || to - from <= most + COLUMN_EPS) return data;
  const part = new Float32Array(3 * most);
  const edge = (column) => from + (column / most) * (to - from);
  for (let c = 0; c < most; c++) {
    const first = Math.max(0, Math.floor(edge(c) + COLUMN_EPS));
    const last = Math.min(all, Math.ceil(edge(c + 1) - COLUMN_EPS));
    let [low, high, squares] = [Infinity, -Infinity, 0]; // nothing is drawn where there are no data
    for (let i = first; i < last; i++) {
      low = Math.min(low, values[i]);
      high = Math.max(high, values[all + i]);
      squares += values[2 * all + i] ** 2;
    }
    [part[c], part[most + c], part[2 * most + c]] = [low, high, Math.sqrt(squares / Math.max(0, last - first))];
  }
  return { values: part, columns: most, start, end, samples: false };
}

/** Draw a waveform between `top` and `top + height`, on the time axis of `xOf`.
 * @param {CanvasRenderingContext2D} context clipped to the plot
 * @param {any} data of `decodeWaveform`
 * @param {{left: number, top: number, width: number, height: number}} area
 * @param {(time: number) => number} xOf
 * @param {CSSStyleDeclaration} style has the page's colours
 */
export function paintWaveform(context, data, { left, top, width, height }, xOf, style) {
  const { values, columns, start, end, samples } = data;
  const limit = maxAmplitude();
  const y = (value) => top + (1 - (value / limit + 1) / 2) * height;
  const x = (column) => xOf(start + ((column + 0.5) / columns) * (end - start));
  context.fillStyle = style.getPropertyValue('--sg-line');
  context.fillRect(left, y(0), width, 1);
  context.fillStyle = context.strokeStyle = style.getPropertyValue('--sg-accent');
  if (samples) return paintSamples(context, data, x, y);
  const wide = x(1) - x(0) + 0.6;
  const bars = (alpha, highOf, lowOf) => {
    context.globalAlpha = alpha;
    for (let c = 0; c < columns; c++) {
      const high = y(highOf(c));
      context.fillRect(x(c) - 0.5, high, wide, Math.max(1, y(lowOf(c)) - high));
    }
  };
  const [low, high, rms] = [(c) => values[c], (c) => values[columns + c], (c) => values[2 * columns + c]];
  const filled = (c) => c >= 0 && low(c) <= high(c);
  const joined = (c) => (filled(c) && filled(c - 1) ? c - 1 : c); // the column before it, which it touches as a line would
  bars(ENVELOPE_ALPHA, (c) => Math.max(high(c), low(joined(c))), (c) => Math.min(low(c), high(joined(c))));
  bars(1, (c) => Math.min(high(c), rms(c)), (c) => Math.max(low(c), -rms(c))); // a column may be a part of a period
}

function paintSamples(context, { values, columns }, x, y) {
  context.lineWidth = 1.5;
  context.beginPath();
  for (let c = 0; c < columns; c++) context.lineTo(x(c), y(values[c]));
  context.stroke();
  if (columns > DOTS_UP_TO) return;
  for (let c = 0; c < columns; c++) {
    context.beginPath();
    context.arc(x(c), y(values[c]), 2.5, 0, 2 * Math.PI);
    context.fill();
  }
}
