// What a view's canvases show and where: the plot's geometry, the picture from the levels at hand, axes and dB scale.

import { audio, show, state } from '../core/state.js';
import { formatNumber, t } from '../lib/i18n.js';
import { frequencyAxis, frequencyTicks, ticks } from '../lib/frequency_axis.js';
import { crispImage, smoothImage } from '../lib/raster.js';
import { table } from '../lib/colormaps.js';
import { display } from '../core/display_settings.js';
import { timeTicks } from '../lib/time_axis.js';

/** CSS pixels between the axes and the plot's edges; below and beside the plot they are --sg-left and so on. */
export const MARGIN = { left: 52, right: 62, top: 22, bottom: 26 };

/** A frequency as a tick names it: 500, 2k, 1.5k, 1.25k. */
export function hertz(hz) {
  const digits = [1000, 100, 10].findIndex((step) => hz % step === 0);
  return hz >= 1000 ? `${formatNumber(hz / 1000, Math.max(0, digits))}k` : formatNumber(hz);
}

/** The part of a viewer that paints; its elements, `data` and `call` are the viewer's. */
export class Plot {
  off = document.createElement('canvas'); // the levels at their own size

  ratio() {
    return Math.min(3, window.devicePixelRatio || 1);
  }

  area() {
    const { width, height } = this.plot.getBoundingClientRect();
    return {
      left: MARGIN.left, top: MARGIN.top,
      width: Math.max(1, width - MARGIN.left - MARGIN.right), height: Math.max(1, height - MARGIN.top - MARGIN.bottom),
    };
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

  /** Where a frequency lies on the plot; only for views with a frequency axis (`constructor.axes`) and a picture. */
  yOf(hz) {
    const { top, height } = this.area();
    return top + (1 - this.axis().share(hz)) * height;
  }

  hzAt(y) {
    const { top, height } = this.area();
    return this.axis().hz(1 - (y - top) / height);
  }

  /** The frequency axis of what is shown. */
  axis() {
    const whole = this.wholeAxis();
    if (!state.frequencyRange) return whole;
    const low = Math.max(state.frequencyRange.low_hz, whole.low);
    const high = Math.min(state.frequencyRange.high_hz, whole.high);
    return high > low ? frequencyAxis(this.axisKind(), low, high, this.data.mel_scale) : whole; // a band of another view
  }

  /** The frequency axis of all that the picture holds. */
  wholeAxis() {
    const { low_hz: low, high_hz: high, mel_scale: scale } = this.data;
    return frequencyAxis(this.axisKind(), low, high, scale);
  }

  axisKind() {
    const { axes, view } = this.constructor;
    return axes.includes(display.axes[view]) ? display.axes[view] : axes[0];
  }

  visible() {
    return this.plot.offsetParent !== null && this.plot.getBoundingClientRect().width > 0;
  }

  /** For each of `height` rows of pixels from the top, the row of levels to show. */
  bands(height) {
    const axis = this.axis();
    const { bounds_hz: bounds, rows } = this.data;
    let band = rows - 1;
    return Int32Array.from({ length: height }, (_, y) => {
      const hz = axis.hz(1 - (y + 0.5) / height); // falls from pixel to pixel, so the search never turns back
      while (band > 0 && hz < bounds[band]) band -= 1;
      return band;
    });
  }

  /** For each of `height` rows of pixels from the top, where it lies in rows of levels: 2.5 is between two of them. */
  rowsAt(height) {
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
    const ratio = this.ratio();
    const { width, height } = this.plot.getBoundingClientRect();
    if (!width || (this.data && !this.current())) return; // the answer for the new sound is on its way
    for (const canvas of [this.picture, this.overlay]) {
      const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
      if (canvas.width !== w || canvas.height !== h) [canvas.width, canvas.height] = [w, h];
    }
    this.host.toggleAttribute('data-filled', Boolean(this.data));
    const context = this.picture.getContext('2d');
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    if (this.data) {
      this.paint(context, ratio);
      this.within(context, () => this.call('picture', context));
      this.scales(context);
      this.drawings += 1;
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
    const place = smooth ? [left, width] : [x0, x1 - x0];
    const cell = (_, x) => ((left + (x + 0.5) / ratio - x0) / (x1 - x0)) * columns - 0.5;
    const image = smooth
      ? smoothImage(this.data, this.rowsAt(rows), Float32Array.from({ length: Math.round(width * ratio) }, cell), colours)
      : crispImage(this.data, this.bands(rows), colours);
    [this.off.width, this.off.height] = [image.width, image.height];
    this.off.getContext('2d').putImageData(image, 0, 0);
    this.within(context, () => {
      context.imageSmoothingEnabled = !few;
      context.drawImage(this.off, place[0], top, place[1], height);
    });
  }

  /** Draw with everything outside the plot's axes cut off, and leave the context as it was. */
  within(context, draw) {
    const { left, top, width, height } = this.area();
    context.save();
    context.beginPath();
    context.rect(left, top, width, height);
    context.clip();
    draw();
    context.restore();
  }

  /** The 256 colours of the levels under the display's own range. */
  palette(floor, ceiling) {
    const colours = table(display.colours);
    const [low, high] = this.range();
    return Uint32Array.from({ length: 256 }, (_, level) => {
      const db = floor - ceiling + (level / 255) * (ceiling - floor);
      return colours[Math.max(0, Math.min(255, Math.round((255 * (db - low)) / (high - low))))];
    });
  }

  scales(context) {
    const { left, top, width, height } = this.area();
    const style = getComputedStyle(this.plot);
    context.fillStyle = context.strokeStyle = style.color;
    context.font = `11px ${style.fontFamily}`;
    context.lineWidth = 1;
    context.textBaseline = 'middle';
    context.textAlign = 'right';
    for (const [share, text] of this.marks(height)) {
      const y = top + (1 - share) * height;
      context.fillRect(left - 4, Math.round(y), 4, 1);
      context.fillText(text, left - 7, y);
    }
    context.fillText(this.unit(), left - 7, top - 11);
    context.textBaseline = 'top';
    const { start, end } = state.visible;
    for (const [time, text] of timeTicks(start, end, width / 70)) {
      const x = this.xOf(time);
      context.fillRect(Math.round(x), top + height, 1, 4);
      const atEnd = x > left + width - 14; // beside the axis's name
      context.textAlign = atEnd ? 'right' : 'center';
      context.fillText(text, atEnd ? left + width + 3 : x, top + height + 7);
    }
    context.textAlign = 'right';
    context.fillText(t('page.time_axis'), left + width + MARGIN.right - 2, top + height + 7);
    this.scaleBar(context, left + width + 12, top, height);
  }

  /** The unit of the vertical axis. */
  unit() {
    return t('page.freq_axis');
  }

  /** Labels of the vertical axis: [share from the bottom, text]. */
  marks(height) {
    const axis = this.axis();
    return frequencyTicks(axis, this.axisKind(), 22 / height).map((hz) => [axis.share(hz), hertz(hz)]);
  }

  scaleBar(context, x, top, height) {
    const colours = table(display.colours);
    for (let y = 0; y < height; y++) {
      const colour = colours[Math.round(255 * (1 - y / height))];
      context.fillStyle = `rgb(${colour & 255} ${(colour >> 8) & 255} ${(colour >> 16) & 255})`;
      context.fillRect(x, top + y, 10, 1.5);
    }
    context.fillStyle = getComputedStyle(this.plot).color;
    context.textAlign = 'left';
    context.textBaseline = 'middle';
    const [low, high] = this.shownLevels();
    for (const db of ticks(low, high, height / 40)) {
      const y = top + (1 - (db - low) / (high - low)) * height;
      context.fillRect(x + 10, Math.round(y), 3, 1);
      context.fillText(formatNumber(db), x + 16, y);
    }
    context.fillText(this.levelUnit(), x, top - 11);
  }

  levelUnit() {
    return this.data.unit ?? t('page.level_axis');
  }

  /** The levels of the darkest and the brightest colour. */
  shownLevels() {
    return this.range().map((db) => this.data.high_db + db);
  }

  /** The same below the picture's maximum, in dB. */
  range() {
    const floor = this.data.low_db - this.data.high_db;
    return [Math.min(display.low ?? floor, display.high - 1), display.high];
  }

  inWindow(time) {
    return time >= state.visible.start && time <= state.visible.end;
  }

  follow(now) {
    if (!this.visible()) return; // the view on screen leads
    // turn the page when the play head runs out of it, but leave alone who looks elsewhere while it plays
    if (!audio.paused && this.headInside && !this.inWindow(now)) {
      show(now, now + state.visible.end - state.visible.start, { follow: true });
    }
    this.headInside = this.inWindow(now);
    this.paintOverlay();
  }

  /** Draw what lies above the picture before the next frame is shown, once, however often it is asked for until then. */
  drawOverlay() {
    this.overlayDue ||= requestAnimationFrame(() => this.paintOverlay());
  }

  paintOverlay() {
    cancelAnimationFrame(this.overlayDue);
    this.overlayDue = 0;
    const ratio = this.ratio();
    const context = this.overlay.getContext('2d');
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, this.overlay.width, this.overlay.height);
    if (!this.current()) return;
    const { left, top, width, height } = this.area();
    const x = this.xOf(audio.currentTime);
    this.plot.dataset.playhead = x.toFixed(1);
    if (x >= left - 1 && x <= left + width + 1) {
      context.fillStyle = 'rgb(0 0 0 / 55%)';
      context.fillRect(x - 1.5, top, 3, height);
      context.fillStyle = '#fff';
      context.fillRect(x - 0.5, top, 1, height);
    }
    if (this.pointer && this.inside(this.pointer)) {
      context.fillStyle = 'rgb(255 255 255 / 45%)';
      context.fillRect(this.pointer.x, top, 1, height);
      context.fillRect(left, this.pointer.y, width, 1);
    }
    this.within(context, () => this.call('overlay', context));
  }
}
