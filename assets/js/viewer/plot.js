// Plot of a 2D view: its geometry, the image from the levels, axes, level scale and playhead.

import { audio, show, state } from '../core/state.js';
import { startOfDay } from '../core/time_of_day.js';
import { display, displayedRange } from '../core/display_settings.js';
import {
  drawLevelScale, drawPlayhead, drawTimeAxis, drawVerticalAxis, frequencyLabel, pixelRatio, prepareCanvas,
} from '../lib/canvas_axes.js';
import { table } from '../lib/colormaps.js';
import { frequencyAxis, frequencyTicks } from '../lib/frequency_axis.js';
import { t } from '../lib/i18n.js';
import { crispImage, smoothImage } from '../lib/raster.js';
import { timeTicks } from '../lib/time_axis.js';
import { levelAxis } from './parameters.js';
import { EMPTY, SoundView } from './sound_view.js';

const MARKUP = `
  <div class="sg-plot" tabindex="0" role="application">
    <canvas class="sg-image"></canvas><canvas class="sg-overlay"></canvas>
    ${EMPTY}
  </div>`;

const STEP_EPS = 1e-6; // of a column: as the server finds the frames of a time

/** The column of a view's data at a time. */
export function columnAt({ columns, start, end }, time) {
  return Math.max(0, Math.min(columns - 1, Math.floor(((time - start) / (end - start)) * columns)));
}

/** The columns of a view's data that show an interval, with one more on both sides: where each frame has its own, those of a
 * request for the interval. */
export function partOf({ levels, rows, columns: stride, start, end }, interval) {
  const step = (end - start) / stride;
  const first = Math.max(0, Math.ceil((interval.start - start) / step - 1.5 - STEP_EPS)); // by the columns' centres
  const last = Math.min(stride - 1, Math.floor((interval.end - start) / step + 0.5 + STEP_EPS));
  const columns = Math.max(0, last + 1 - first);
  return { levels, rows, stride, first, columns, start: start + first * step, end: start + (first + columns) * step };
}

/** The index of the last of some rising values that is not above `value`, 0 if all are. */
function lastBelow(values, value) {
  let [low, high] = [0, values.length];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (values[middle] <= value) low = middle;
    else high = middle;
  }
  return low;
}

/** A view with a time axis across and an image on a canvas, under another canvas for what moves. */
export class Plot extends SoundView {
  static axes = []; // kinds of frequency axis, the default first

  pointer = null; // {x, y} in the plot, null outside
  box = null; // {x0, x1, y0, y1} of the zoom box that is being drawn
  headInside = false;
  hooks = /** @type {any[]} */ ([]); // of the plugins, see viewer.js
  offscreen = document.createElement('canvas'); // the levels at their own size
  overlayFrame = 0;

  constructor(host, server, spec) {
    super(host, server, spec, MARKUP);
    this.image = this.find('.sg-image');
    this.overlay = this.find('.sg-overlay');
  }

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

  inside({ x, y }) {
    const { left, top, width, height } = this.area();
    return x >= left && x <= left + width && y >= top && y <= top + height;
  }

  timeAt(x) {
    const { left, width } = this.area();
    return state.visible.start + ((x - left) / width) * (state.visible.end - state.visible.start);
  }

  /** The height of a frequency on the plot, in views with a frequency axis and data. */
  yOf(hz) {
    const { top, height } = this.area();
    return top + (1 - this.axis().share(hz)) * height;
  }

  hzAt(y) {
    const { top, height } = this.area();
    return this.axis().hz(1 - (y - top) / height);
  }

  /** The edges of the selection; `banded`: not of all frequencies. */
  selectionBox() {
    const { start, end, low_hz: low, high_hz: high } = state.selection;
    const { top, height } = this.area();
    const banded = this.pitched && low !== null;
    const [y0, y1] = banded ? [this.yOf(high), this.yOf(low)] : [top, top + height];
    return { x0: this.xOf(start), x1: this.xOf(end), y0, y1, banded };
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
    return frequencyAxis(this.axisKind(), this.data.low_hz, this.data.high_hz, this.data.mel_scale);
  }

  axisKind() {
    const chosen = display.axes[this.view];
    return this.axes.includes(chosen) ? chosen : this.axes[0];
  }

  /** Return a function from a share of the vertical axis (0 bottom, 1 top) to the row of levels that is shown there. */
  rowFinder() {
    const [axis, { bounds_hz: bounds, rows }] = [this.axis(), this.data];
    return (share) => Math.min(rows - 1, lastBelow(bounds, axis.hz(share)));
  }

  /** Return a function from a share of the vertical axis to its position in rows: 2.5 is between two of them. */
  positionFinder() {
    const [axis, { bounds_hz: bounds, rows }] = [this.axis(), this.data];
    const centres = Array.from({ length: rows }, (_, row) => (bounds[row] + bounds[row + 1]) / 2);
    return (share) => {
      const hz = axis.hz(share);
      const row = lastBelow(centres, hz);
      return row === rows - 1 ? row : Math.max(0, row + (hz - centres[row]) / (centres[row + 1] - centres[row]));
    };
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
    const part = partOf(this.data, state.visible);
    if (!part.columns) return;
    const { columns, start, end } = part;
    const colours = this.palette();
    const rows = Math.round(height * ratio);
    const shares = Float64Array.from({ length: rows }, (_, y) => 1 - (y + 0.5) / rows);
    const [x0, x1] = [this.xOf(start), this.xOf(end)];
    const few = columns / (x1 - x0) < ratio; // fewer columns than pixels: something to blend
    const smooth = display.smooth && few;
    const [from, to] = smooth ? [Math.max(left, x0), Math.min(left + width, x1)] : [x0, x1];
    const cell = (_, x) => ((from + (x + 0.5) / ratio - x0) / (x1 - x0)) * columns - 0.5;
    const across = () => Float32Array.from({ length: Math.max(1, Math.round((to - from) * ratio)) }, cell);
    const image = smooth
      ? smoothImage(part, Float32Array.from(shares, this.positionFinder()), across(), colours)
      : crispImage(part, Int32Array.from(shares, this.rowFinder()), colours);
    [this.offscreen.width, this.offscreen.height] = [image.width, image.height];
    this.offscreen.getContext('2d').putImageData(image, 0, 0);
    this.within(context, () => {
      context.imageSmoothingEnabled = !few;
      if (to > from) context.drawImage(this.offscreen, from, top, to - from, height);
    });
  }

  within(context, draw) {
    const { left, top, width, height } = this.area();
    context.save();
    context.beginPath();
    context.rect(left, top, width, height);
    context.clip();
    draw();
    context.restore();
  }

  /** The name of the colour map. */
  get colours() {
    return display.colours;
  }

  /** The 256 colours of the levels in the display's range. */
  palette() {
    const colours = table(this.colours);
    const { low_db: floor, high_db: ceiling } = this.data;
    const [low, high] = this.levelRange();
    return Uint32Array.from({ length: 256 }, (_, level) => {
      const db = floor + (level / 255) * (ceiling - floor);
      return colours[Math.max(0, Math.min(255, Math.round((255 * (db - low)) / (high - low))))];
    });
  }

  scales(context) {
    const area = this.area();
    drawVerticalAxis(context, area, getComputedStyle(this.plot), this.marks(area.height), this.unit());
    this.timeScale(context, area);
    this.levelScale(context, area);
  }

  timeScale(context, area) {
    const times = timeTicks(state.visible.start, state.visible.end, area.width / 70, startOfDay());
    const shares = times.marks.map(([time, text]) => [(this.xOf(time) - area.left) / area.width, text]);
    drawTimeAxis(context, area, shares, { name: times.name });
  }

  levelScale(context, area) {
    const decibels = this.levelUnit() === t('page.unit_db');
    drawLevelScale(context, area, this.colours, this.levelRange(), decibels ? this.levelAxis() : this.levelUnit());
  }

  levelAxis() {
    return levelAxis(this.data.request.config?.db_ref);
  }

  unit() {
    return t('page.freq_axis');
  }

  /** Labels of the vertical axis: [share from the bottom, text]. */
  marks(height) {
    const axis = this.axis();
    return frequencyTicks(axis, this.axisKind(), 22 / height).map((hz) => [axis.share(hz), frequencyLabel(hz)]);
  }

  levelUnit() {
    return this.data.unit ?? t('page.unit_db');
  }

  /** The levels of the darkest and the brightest colour. */
  levelRange(data = this.data) {
    return this.range(data).map((db) => data.high_db + db);
  }

  /** The same relative to the maximum, in dB. */
  range(data = this.data) {
    return displayedRange(data);
  }

  inWindow(time) {
    return time >= state.visible.start && time <= state.visible.end;
  }

  /** Show as much as now, from a time on. */
  turnPage(time) {
    show(time, time + state.visible.end - state.visible.start, { follow: true });
  }

  follow(now) {
    if (!this.onScreen) return;
    // turn the page when the playhead leaves it, but stay with a user who looks elsewhere during playback
    if (!audio.paused && this.headInside && !this.inWindow(now)) this.turnPage(now);
    this.headInside = this.inWindow(now);
    this.paintOverlay();
  }

  /** Draw the overlay in the next frame. */
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
