// Plot of a 2D view: its geometry, the image from the levels, axes, level scale and play head.

import { audio, show, state } from '../core/state.js';
import { display } from '../core/display_settings.js';
import {
  MARGIN, drawLevelScale, drawPlayhead, drawTimeAxis, drawVerticalAxis, hertz, pixelRatio, plotArea, prepareCanvas,
} from '../lib/canvas_axes.js';
import { table } from '../lib/colormaps.js';
import { frequencyAxis, frequencyTicks } from '../lib/frequency_axis.js';
import { t } from '../lib/i18n.js';
import { crispImage, smoothImage } from '../lib/raster.js';
import { timeTicks } from '../lib/time_axis.js';
import { EMPTY, SoundView } from './sound_view.js';

const MARKUP = `
  <div class="sg-frame">
    <div class="sg-plot" tabindex="0" role="application">
      <canvas class="sg-image"></canvas><canvas class="sg-overlay"></canvas>
      ${EMPTY}
    </div>
    <div class="sg-plot-right"></div>
    <div class="sg-plot-below"></div>
  </div>
  <div class="sg-under"></div>`;

/** A view with a time axis across and an image on a canvas, under another canvas for what moves. */
export class Plot extends SoundView {
  static axes = []; // kinds of frequency axis, the default first

  pointer = null; // {x, y} in the plot, null outside
  box = null; // {x0, x1, y0, y1} of the zoom box that is being drawn
  headInside = false;
  hooks = []; // of the plugins, see viewer.js
  off = document.createElement('canvas'); // the levels at their own size
  overlayFrame = 0;
  restTimer = 0; // of the readout

  constructor(host, server, parameters) {
    super(host, server, parameters, MARKUP);
    for (const [edge, pixels] of Object.entries(MARGIN)) host.style.setProperty(`--sg-${edge}`, `${pixels}px`);
    this.image = this.find('.sg-image');
    this.overlay = this.find('.sg-overlay');
    this.below = this.find('.sg-plot-below');
    this.beside = this.find('.sg-plot-right');
    this.under = this.find('.sg-under');
  }

  /** Call a hook of all plugins. */
  call(name, ...values) {
    for (const hooks of this.hooks) hooks[name]?.(...values);
  }

  get axes() {
    return /** @type {typeof Plot} */ (this.constructor).axes;
  }

  /** Whether the vertical axis is one of frequency. */
  get pitched() {
    return this.axes.length > 0;
  }

  area() {
    return plotArea(this.plot.getBoundingClientRect());
  }

  inside({ x, y }) {
    const { left, top, width, height } = this.area();
    return x >= left && x <= left + width && y >= top && y <= top + height;
  }

  timeAt(x) {
    const { left, width } = this.area();
    return state.visible.start + ((x - left) / width) * (state.visible.end - state.visible.start);
  }

  xOf(time) {
    const { left, width } = this.area();
    return left + ((time - state.visible.start) / (state.visible.end - state.visible.start)) * width;
  }

  /** The height of a frequency on the plot; only for views with a frequency axis and data. */
  yOf(hz) {
    const { top, height } = this.area();
    return top + (1 - this.axis().share(hz)) * height;
  }

  hzAt(y) {
    const { top, height } = this.area();
    return this.axis().hz(1 - (y - top) / height);
  }

  /** The frequency axis of the visible range. */
  axis() {
    const whole = this.wholeAxis();
    if (!state.frequencyRange) return whole;
    const low = Math.max(state.frequencyRange.low_hz, whole.low);
    const high = Math.min(state.frequencyRange.high_hz, whole.high);
    return high > low ? frequencyAxis(this.axisKind(), low, high, this.data.mel_scale) : whole; // a range of another view
  }

  /** The frequency axis of all data. */
  wholeAxis() {
    const { low_hz: low, high_hz: high, mel_scale: scale } = this.data;
    return frequencyAxis(this.axisKind(), low, high, scale);
  }

  axisKind() {
    const chosen = display.axes[this.view];
    return this.axes.includes(chosen) ? chosen : this.axes[0];
  }

  /** For each of `height` rows of pixels from the top, the row of levels to show. */
  nearestRows(height) {
    const axis = this.axis();
    const { bounds_hz: bounds, rows } = this.data;
    let row = rows - 1;
    return Int32Array.from({ length: height }, (_, y) => {
      const hz = axis.hz(1 - (y + 0.5) / height); // falls from pixel to pixel, so the search never turns back
      while (row > 0 && hz < bounds[row]) row -= 1;
      return row;
    });
  }

  /** For each of `height` rows of pixels from the top, its position in rows of levels: 2.5 is between two of them. */
  fractionalRows(height) {
    const axis = this.axis();
    const { bounds_hz: bounds, rows } = this.data;
    const centre = (row) => (bounds[row] + bounds[row + 1]) / 2;
    let row = rows - 1;
    return Float32Array.from({ length: height }, (_, y) => {
      const hz = axis.hz(1 - (y + 0.5) / height);
      while (row > 0 && hz < centre(row)) row -= 1;
      return row >= rows - 1 ? row : Math.max(0, row + (hz - centre(row)) / (centre(row + 1) - centre(row)));
    });
  }

  redraw() {
    const size = this.plot.getBoundingClientRect();
    if (!size.width || (this.data && !this.current())) return; // the data of the new sound are on their way
    this.host.toggleAttribute('data-filled', Boolean(this.data));
    const context = prepareCanvas(this.image, size);
    if (this.data) {
      this.paint(context, pixelRatio());
      this.within(context, () => this.call('image', context));
      this.scales(context);
    }
    this.paintOverlay();
  }

  paint(context, ratio) {
    const { left, top, width, height } = this.area();
    const rows = Math.round(height * ratio);
    const { columns, low_db: floor, high_db: ceiling, start, end } = this.data;
    const colours = this.palette(floor, ceiling);
    const [x0, x1] = [this.xOf(start), this.xOf(end)];
    const few = columns / (x1 - x0) < ratio; // fewer columns than pixels: something to blend
    const smooth = display.smooth && few;
    const [at, wide] = smooth ? [left, width] : [x0, x1 - x0];
    const cell = (_, x) => ((left + (x + 0.5) / ratio - x0) / (x1 - x0)) * columns - 0.5;
    const image = smooth
      ? smoothImage(this.data, this.fractionalRows(rows), Float32Array.from({ length: Math.round(width * ratio) }, cell), colours)
      : crispImage(this.data, this.nearestRows(rows), colours);
    [this.off.width, this.off.height] = [image.width, image.height];
    this.off.getContext('2d').putImageData(image, 0, 0);
    this.within(context, () => {
      context.imageSmoothingEnabled = !few;
      context.drawImage(this.off, at, top, wide, height);
    });
  }

  /** Draw clipped to the plot's axes. */
  within(context, draw) {
    const { left, top, width, height } = this.area();
    context.save();
    context.beginPath();
    context.rect(left, top, width, height);
    context.clip();
    draw();
    context.restore();
  }

  /** The 256 colours of the levels in the display's range. */
  palette(floor, ceiling) {
    const colours = table(display.colours);
    const [low, high] = this.range();
    return Uint32Array.from({ length: 256 }, (_, level) => {
      const db = floor - ceiling + (level / 255) * (ceiling - floor);
      return colours[Math.max(0, Math.min(255, Math.round((255 * (db - low)) / (high - low))))];
    });
  }

  scales(context) {
    const area = this.area();
    const { start, end } = state.visible;
    drawVerticalAxis(context, area, getComputedStyle(this.plot), this.marks(area.height), this.unit());
    drawTimeAxis(context, area, timeTicks(start, end, area.width / 70).map(([time, text]) => [(time - start) / (end - start), text]));
    this.levelScale(context, area);
  }

  levelScale(context, area) {
    drawLevelScale(context, area, display.colours, this.levelRange(), this.levelUnit());
  }

  /** The name of the vertical axis. */
  unit() {
    return t('page.freq_axis');
  }

  /** Labels of the vertical axis: [share from the bottom, text]. */
  marks(height) {
    const axis = this.axis();
    return frequencyTicks(axis, this.axisKind(), 22 / height).map((hz) => [axis.share(hz), hertz(hz)]);
  }

  levelUnit() {
    return this.data.unit ?? t('page.level_axis');
  }

  /** The levels of the darkest and the brightest colour. */
  levelRange() {
    return this.range().map((db) => this.data.high_db + db);
  }

  /** The same relative to the maximum, in dB. */
  range() {
    const floor = this.data.low_db - this.data.high_db;
    return [Math.min(display.low ?? floor, display.high - 1), display.high];
  }

  inWindow(time) {
    return time >= state.visible.start && time <= state.visible.end;
  }

  follow(now) {
    if (!this.onScreen) return;
    // turn the page when the play head leaves it, but stay with a user who looks elsewhere during playback
    if (!audio.paused && this.headInside && !this.inWindow(now)) {
      show(now, now + state.visible.end - state.visible.start, { follow: true });
    }
    this.headInside = this.inWindow(now);
    this.paintOverlay();
  }

  /** Draw the overlay before the next frame, once for any number of calls. */
  drawOverlay() {
    this.overlayFrame ||= requestAnimationFrame(() => this.paintOverlay());
  }

  paintOverlay() {
    cancelAnimationFrame(this.overlayFrame);
    this.overlayFrame = 0;
    const context = prepareCanvas(this.overlay, this.plot.getBoundingClientRect());
    if (!this.current()) return;
    const area = this.area();
    drawPlayhead(context, area, this.xOf(audio.currentTime));
    if (this.pointer && this.inside(this.pointer)) {
      context.fillStyle = 'rgb(255 255 255 / 45%)';
      context.fillRect(this.pointer.x, area.top, 1, area.height);
      context.fillRect(area.left, this.pointer.y, area.width, 1);
    }
    this.within(context, () => this.call('overlay', context));
  }
}
