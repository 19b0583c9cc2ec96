// Scrolling spectrogram of the microphone, computed in the browser; the newest column is at the right.

import { changeDisplay, display } from '../../core/display_settings.js';
import { events } from '../../core/state.js';
import {
  drawLevelScale, drawTimeAxis, drawVerticalAxis, frequencyLabel, pixelRatio, plotArea, prepareCanvas,
} from '../../lib/canvas_axes.js';
import { table } from '../../lib/colormaps.js';
import { onResize, onThemeChange } from '../../lib/dom.js';
import { Spectrum } from '../../lib/fft.js';
import { frequencyAxis, frequencyTicks, ticks } from '../../lib/frequency_axis.js';
import { formatNumber, t } from '../../lib/i18n.js';

const SPAN_S = 10;
const HOP_S = 0.01;
const WINDOW_S = 0.04;
const SPARE = 51; // columns kept beyond the span: those that have come but are not shown yet
const [LOW_HZ, HIGH_HZ] = [20, 20000];
const FLOOR_DB = -125; // what a byte of 0 means, in dBFS
const STEP_DB = 0.5;
const [CEILING_DB, RANGE_DB] = [-20, 80]; // the display's range counts from this ceiling: a microphone is seldom near 0
const DELAY_S = 0.05; // samples come in bursts: the image lags behind them evenly
const STILL_MS = 1000; // between images with reduced motion

export const KINDS = ['mel', 'log', 'linear'];

export class LiveSpectrogram {
  /**
   * @param {HTMLElement} plot
   * @param {AbortSignal} signal
   */
  constructor(plot, signal) {
    this.plot = plot;
    this.canvas = plot.querySelector('canvas');
    this.image = document.createElement('canvas'); // all columns, the newest at the right
    this.still = window.matchMedia('(prefers-reduced-motion: reduce)');
    this.begin(48000);
    const repaint = () => this.repaint();
    events.addEventListener('display', repaint, { signal });
    onResize(plot, repaint, signal);
    onThemeChange(repaint, signal);
  }

  /** Clear the image for samples at this rate. */
  begin(rate) {
    this.rate = rate;
    this.hop = Math.round(rate * HOP_S);
    this.spectrum = new Spectrum(2 ** Math.ceil(Math.log2(rate * WINDOW_S)));
    this.bins = this.spectrum.size / 2 + 1;
    this.capacity = Math.round((SPAN_S * rate) / this.hop) + SPARE;
    this.levels = new Uint8Array(this.capacity * this.bins);
    this.recent = new Float32Array(this.spectrum.size); // the samples under the window
    this.waiting = 0; // samples since the last column
    this.columns = this.painted = 0; // made, and coloured, so far
    this.shown = 0; // column, with a fraction, at the right edge
    this.drawnAt = 0;
    this.over = false;
    this.repaint();
  }

  add(samples) {
    for (let from = 0; from < samples.length;) {
      const part = samples.subarray(from, from + Math.min(this.hop - this.waiting, samples.length - from));
      this.recent.copyWithin(0, part.length);
      this.recent.set(part, this.recent.length - part.length);
      this.waiting += part.length;
      from += part.length;
      if (this.waiting === this.hop) this.column();
    }
  }

  column() {
    this.waiting = 0;
    const db = this.spectrum.levels(this.recent);
    this.levels.copyWithin(0, this.bins);
    const to = this.levels.subarray(-this.bins);
    for (let k = 0; k < to.length; k++) to[k] = Math.max(0, Math.min(255, Math.round((db[k] - FLOOR_DB) / STEP_DB)));
    this.columns += 1;
  }

  /** The kind of its frequency axis: `KINDS`. */
  get kind() {
    return KINDS.includes(display.axes.live) ? display.axes.live : KINDS[0];
  }

  set kind(kind) {
    changeDisplay({ axes: { ...display.axes, live: kind } });
  }

  /** Redraw everything, for another size, other colours or another axis. */
  repaint() {
    const size = this.plot.getBoundingClientRect();
    if (!size.width) return;
    this.area = plotArea(size);
    this.ratio = pixelRatio();
    this.axis = frequencyAxis(this.kind, this.kind === 'mel' ? 0 : LOW_HZ, Math.min(HIGH_HZ, this.rate / 2), 'slaney');
    this.rows = this.rowsOf(Math.max(1, Math.round(this.area.height * this.ratio)));
    [this.image.width, this.image.height] = [this.capacity, this.rows.length];
    const colours = table(display.colours);
    const [low, high] = this.range();
    this.palette = Uint32Array.from({ length: 256 }, (_, level) =>
      colours[Math.max(0, Math.min(255, Math.round((255 * (FLOOR_DB + level * STEP_DB - low)) / (high - low))))]);
    this.paint(this.capacity);
    this.drawScales(prepareCanvas(this.canvas, size));
    this.draw();
  }

  /** The levels of the darkest and the brightest colour, in dBFS. */
  range() {
    return [CEILING_DB + Math.min(display.low ?? -RANGE_DB, display.high - 1), CEILING_DB + display.high];
  }

  /** For each row of pixels from the top, the bins that it shows: [first, last, weight of the second where there are two]. */
  rowsOf(height) {
    const bin = (share) => (this.axis.hz(share) * this.spectrum.size) / this.rate;
    return Array.from({ length: height }, (_, y) => {
      const [below, above] = [bin(1 - (y + 1) / height), bin(1 - y / height)];
      if (above - below > 1) return [Math.ceil(below), Math.min(this.bins - 1, Math.floor(above)), null];
      const middle = Math.min((below + above) / 2, this.bins - 1.001);
      return [Math.floor(middle), Math.floor(middle) + 1, middle % 1];
    });
  }

  /** Paint the newest columns. */
  paint(count) {
    const { rows, levels, bins, palette, capacity } = this;
    const image = new ImageData(count, rows.length);
    const pixels = new Uint32Array(image.data.buffer);
    for (let x = 0; x < count; x++) {
      const base = (capacity - count + x) * bins;
      for (let y = 0, pixel = x; y < rows.length; y++, pixel += count) {
        const [first, last, weight] = rows[y];
        let level = levels[base + first];
        if (weight === null) for (let k = first + 1; k <= last; k++) level = Math.max(level, levels[base + k]);
        else level += (levels[base + last] - level) * weight;
        pixels[pixel] = palette[(level + 0.5) | 0];
      }
    }
    this.image.getContext('2d').putImageData(image, capacity - count, 0);
    this.painted = this.columns;
  }

  /** Scroll to what has come, evenly; `now` in ms. */
  scroll(now) {
    if (this.still.matches && now - this.drawnAt < STILL_MS) return;
    const target = Math.max(0, this.columns - DELAY_S / HOP_S);
    const moved = this.shown + (now - this.drawnAt) / 1000 / HOP_S;
    const behind = target - moved;
    const jump = this.still.matches || Math.abs(behind) > 0.5 / HOP_S;
    this.shown = jump ? target : Math.max(this.shown, Math.min(this.columns, moved + behind / 20));
    this.drawnAt = now;
    this.draw();
  }

  /** Show all that has come, and stop scrolling. */
  rest() {
    this.shown = this.columns;
    this.over = true;
    this.repaint();
  }

  draw() {
    if (!this.area) return;
    const { image, ratio, capacity, area, columns, shown } = this;
    const fresh = Math.min(columns - this.painted, capacity);
    if (fresh) {
      image.getContext('2d').drawImage(image, -fresh, 0);
      this.paint(fresh);
    }
    const [left, top, right] = [area.left, area.top, area.left + area.width].map((value) => Math.round(value * ratio));
    const span = SPAN_S / HOP_S;
    const wide = (right - left) / span; // of a column, in pixels
    const behind = Math.round((columns - shown) * wide) / wide; // whole pixels
    const context = this.canvas.getContext('2d');
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.drawImage(image, capacity - behind - span, 0, span, image.height, left, top, right - left, image.height);
  }

  /** Axes and the level scale. */
  drawScales(context) {
    const { area, axis } = this;
    const marks = frequencyTicks(axis, this.kind, 22 / area.height).map((hz) => [axis.share(hz), frequencyLabel(hz)]);
    const end = t(this.over ? 'live.end' : 'live.now');
    const times = ticks(-SPAN_S, 0, area.width / 90).map((time) =>
      [1 + time / SPAN_S, Math.abs(time) < 1e-9 ? end : formatNumber(time)]);
    drawVerticalAxis(context, area, getComputedStyle(this.plot), marks, t('page.freq_axis'));
    drawTimeAxis(context, area, times);
    drawLevelScale(context, area, display.colours, this.range(), 'dBFS');
  }
}
