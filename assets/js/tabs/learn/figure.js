// The lesson's figure: a canvas with panels, axes, curves and images in the page's colours.

import { MARGIN, drawTimeAxis, drawVerticalAxis, frequencyLabel, plotArea, prepareCanvas } from '../../lib/canvas_axes.js';
import { table } from '../../lib/colormaps.js';
import { powerToDb } from '../../lib/decibels.js';
import { frequencyAxis, frequencyTicks, tickDigits, ticks } from '../../lib/frequency_axis.js';
import { formatNumber, t } from '../../lib/i18n.js';
import { crispImage } from '../../lib/raster.js';
import { timeTicks } from '../../lib/time_axis.js';

const MARGINS = { ...MARGIN, right: 14 };
const AXIS_GAP = 60; // CSS pixels between ticks, at least

/** @typedef {import('../../lib/canvas_axes.js').Area} Area */

export class Figure {
  /** @param {HTMLElement} plot an element with a canvas */
  constructor(plot) {
    this.plot = plot;
    this.canvas = plot.querySelector('canvas');
    /** @type {CanvasRenderingContext2D} */
    this.context = null;
  }

  /** Clear the canvas; false where it is not laid out. */
  begin() {
    const { width, height } = this.plot.getBoundingClientRect();
    if (!width) return false;
    this.size = { width, height };
    this.context = prepareCanvas(this.canvas, this.size);
    this.style = getComputedStyle(this.plot);
    this.ink = this.style.color;
    this.accent = this.style.getPropertyValue('--sg-accent');
    this.line = this.style.getPropertyValue('--sg-line');
    this.faint = this.style.getPropertyValue('--body-text-color-subdued');
    return true;
  }

  /** The area of a panel within its axes; `from` and `to` are shares of the figure's height, or of its width.
   * @returns {Area}
   */
  panel(from = 0, to = 1, across = false) {
    const { width, height } = this.size;
    const size = across ? { width: (to - from) * width, height } : { width, height: (to - from) * height };
    const area = plotArea(size, MARGINS);
    return across ? { ...area, left: area.left + from * width } : { ...area, top: area.top + from * height };
  }

  /** A vertical axis with round numbers. */
  vertical(area, low, high, name) {
    const values = ticks(low, high, area.height / 30);
    this.marks(area, values.map((value) => [(value - low) / (high - low), formatNumber(value, tickDigits(values))]), name);
  }

  /** A vertical axis in Hz. */
  frequencies(area, high, kind = 'linear', low = 0) {
    const axis = frequencyAxis(kind, low, high, 'htk');
    const marks = frequencyTicks(axis, kind, 26 / area.height).map((hz) => [axis.share(hz), frequencyLabel(hz)]);
    this.marks(area, marks, t('page.freq_axis'));
  }

  marks(area, marks, name) {
    drawVerticalAxis(this.context, area, this.style, marks, '');
    this.context.textAlign = 'left';
    this.context.fillText(name, Math.max(2, area.left - 46), area.top - 11);
  }

  /** A time axis in seconds under the area. */
  times(area, start, end) {
    this.prepareText();
    const { marks, name } = timeTicks(start, end, area.width / AXIS_GAP);
    const shares = marks.map(([time, text]) => [(time - start) / (end - start), text]);
    drawTimeAxis(this.context, area, shares, { right: MARGINS.right, name });
  }

  /** A horizontal axis of round numbers under the area. */
  horizontal(area, low, high, name, texts = (/** @type {number} */ value, digits = 0) => formatNumber(value, digits)) {
    this.prepareText();
    const { context } = this;
    const values = ticks(low, high, area.width / AXIS_GAP);
    const digits = tickDigits(values);
    const end = area.left + area.width + MARGINS.right - 2; // of the axis's name
    context.textBaseline = 'top';
    context.textAlign = 'center';
    for (const value of values) {
      const x = area.left + ((value - low) / (high - low)) * area.width;
      context.fillRect(Math.round(x), area.top + area.height, 1, 4);
      if (x < end - context.measureText(name).width - 16) context.fillText(texts(value, digits), x, area.top + area.height + 7);
    }
    context.textAlign = 'right';
    context.fillText(name, end, area.top + area.height + 7);
  }

  prepareText(colour = this.ink) {
    this.context.fillStyle = colour;
    this.context.font = `11px ${this.style.fontFamily}`;
  }

  /** Text inside an area, at its top left. */
  caption(area, text, colour = this.ink) {
    this.prepareText(colour);
    this.context.textAlign = 'right';
    this.context.textBaseline = 'middle';
    this.context.fillText(text, area.left + area.width, area.top - 11);
  }

  /** A line through values that lie evenly across the area, between two levels; of many, the extremes of each pixel. */
  curve(area, values, low, high, colour = this.ink, width = 1.5) {
    const step = values.length > 1 ? area.width / (values.length - 1) : 0;
    const kept = step > 0.25 ? [...values.keys()] : extremes(values, Math.ceil(area.width));
    this.path(area, kept.map((i) => [i * step, (values[i] - low) / (high - low)]), colour, width);
  }

  /** A line through points: pixels from the left, shares from the bottom. */
  path({ left, top, height }, points, colour = this.ink, width = 1.5, dash = []) {
    const { context } = this;
    context.strokeStyle = colour;
    context.lineWidth = width;
    context.lineJoin = 'round';
    context.setLineDash(dash);
    context.beginPath();
    for (const [x, share] of points) context.lineTo(left + x, top + (1 - Math.min(1.02, Math.max(-0.02, share))) * height);
    context.stroke();
    context.setLineDash([]);
  }

  dot({ left, top, height }, x, share, colour = this.accent, radius = 3) {
    this.context.fillStyle = colour;
    this.context.beginPath();
    this.context.arc(left + x, top + (1 - share) * height, radius, 0, 2 * Math.PI);
    this.context.fill();
  }

  /** Upright bars from the bottom, each a share of the height. */
  bars({ left, top, width, height }, shares, colourOf, gap = 1) {
    const step = width / shares.length;
    shares.forEach((share, i) => {
      this.context.fillStyle = colourOf(i);
      const high = Math.max(0, Math.min(1, share)) * height;
      this.context.fillRect(left + i * step, top + height - high, Math.max(1, step - gap), high);
    });
  }

  /** Bytes as an image, low rows at the bottom.
   * @param {Area} area
   * @param {Uint8Array} levels row by row from the lowest
   */
  image({ left, top, width, height }, levels, rows, columns, colours = 'magma') {
    const bands = Int32Array.from({ length: rows }, (_, y) => rows - 1 - y);
    const off = new OffscreenCanvas(columns, rows);
    off.getContext('2d').putImageData(crispImage({ levels, columns }, bands, table(colours)), 0, 0);
    this.context.imageSmoothingEnabled = rows > height || columns > width;
    this.context.drawImage(off, left, top, width, height);
  }
}

/** The positions of the least and the greatest value in each of `count` equal parts, in order. */
function extremes(values, count) {
  return Array.from({ length: count }, (_, part) => {
    const [first, end] = [part, part + 1].map((edge) => Math.floor((edge * values.length) / count));
    let [low, high] = [first, first];
    for (let i = first; i < end; i++) {
      if (values[i] < values[low]) low = i;
      if (values[i] > values[high]) high = i;
    }
    return low < high ? [low, high] : [high, low];
  }).flat();
}

/** Return levels in dB as bytes from a floor to the top. */
export function bytes(db, low, high) {
  return Uint8Array.from(db, (level) => Math.max(0, Math.min(255, Math.round((255 * (level - low)) / (high - low)))));
}

/** The spectrogram's frames turned to rows of frequency up to `rows`, as `Figure.image` draws them. */
export function rowsOf({ db, frames, bins }, rows) {
  const turned = new Float32Array(rows * frames);
  for (let frame = 0; frame < frames; frame++) {
    for (let row = 0; row < rows; row++) turned[row * frames + frame] = db[frame * bins + row];
  }
  return turned;
}

export const SHOWN_DB = 80; // of a spectrogram, below its loudest level
const MOST_HZ = 12_000; // of a spectrogram's axis
const LEAST_DB = -120; // of the loudest level of a spectrogram: silence is dark

/** The loudest level. */
export function limits(db) {
  return { top: db.reduce((most, level) => Math.max(most, level), LEAST_DB) };
}

/** The spectrogram's rows up to `MOST_HZ` and the frequency at their top. */
export function rowsUpTo(found, rate) {
  const count = Math.max(2, Math.min(found.bins, Math.round((MOST_HZ * 2 * (found.bins - 1)) / rate)));
  return { rows: { count, levels: rowsOf(found, count) }, high: ((count - 1) * rate) / (2 * (found.bins - 1)) };
}

/** Draw a spectrogram of the lesson's excerpt with its axes; returns what the axes span. */
export function drawSpectrogram({ figure, excerpt }, area, found, hop, shownDb) {
  const { rows, high } = rowsUpTo(found, excerpt.rate);
  const { top } = limits(found.db);
  const seconds = (found.frames * hop) / excerpt.rate;
  figure.image(area, bytes(rows.levels, top - shownDb, top), rows.count, found.frames);
  figure.frequencies(area, high);
  figure.times(area, excerpt.start, excerpt.start + seconds);
  return { high, seconds };
}

/** The frame of `size` samples around the loudest sample; short sounds end in silence. */
export function loudestFrame({ samples }, size) {
  let best = 0;
  samples.forEach((value, i) => { if (Math.abs(value) > Math.abs(samples[best])) best = i; });
  const frame = new Float32Array(size);
  const first = Math.max(0, Math.min(samples.length - size, best - size / 2));
  frame.set(samples.subarray(first, first + size));
  return frame;
}

/** Mean level of each frequency, in dB. */
export function meanSpectrum({ db, frames, bins }) {
  return Array.from({ length: bins }, (_, k) => {
    let power = 0;
    for (let frame = 0; frame < frames; frame++) power += 10 ** (db[frame * bins + k] / 10);
    return powerToDb(power / frames);
  });
}
