// The spectrogram viewer: a canvas with axes and dB scale, readout, play head, click to seek, zoom along time.
// Colours, level range and the frequency axis are drawn here from the levels at hand, without asking the server.

import {
  ask, audio, bytesOf, clock, element, events, followPlayhead, newest, number, say, seek, show, state, togglePlay, word,
  zoom,
} from './session.js';
import { frequencyAxis, frequencyTicks, hzToMel, ticks } from './axes.js';
import { NAMES, table } from './colormaps.js';
import { parameterPanel } from './parameters.js';

const MARGIN = { left: 52, right: 62, top: 22, bottom: 26 };
const REST_MS = 90; // the pointer stands still: ask for the exact level

const SKELETON = `
  <div class="sg-stage">
    <div class="sg-toolbar">
      <label class="sg-for-levels"><span></span><select class="sg-colours"></select></label>
      <label class="sg-for-axis"><span></span><select class="sg-axis"></select></label>
      <div class="sg-range sg-for-range" role="group"><span></span>
        <input type="range" class="sg-low" min="-80" max="0" value="-80" disabled>
        <input type="range" class="sg-high" min="-80" max="0" value="0" disabled>
        <output></output></div>
      <div class="sg-zoom" role="group">
        <button type="button" data-zoom="in">+</button><button type="button" data-zoom="out">−</button>
        <button type="button" data-zoom="all">⤢</button></div>
    </div>
    <output class="sg-readout"></output>
    <div class="sg-plot" tabindex="0" role="img">
      <canvas class="sg-picture"></canvas><canvas class="sg-overlay"></canvas>
      <div class="sg-empty"><p class="sg-strong"></p><p class="sg-small"></p></div>
    </div>
    <section class="sg-together"></section>
  </div>
  <aside class="sg-side"></aside>`;

/** The mel view, and what the other views have in common with it; see views.js for those. */
export class Viewer {
  static view = 'mel';
  static axes = ['mel', 'linear', 'log'];

  constructor(host, server, parameters) {
    host.innerHTML = SKELETON;
    host.dataset.view = this.constructor.view;
    this.host = host;
    this.server = server;
    this.plot = host.querySelector('.sg-plot');
    this.picture = host.querySelector('.sg-picture');
    this.overlay = host.querySelector('.sg-overlay');
    this.readout = host.querySelector('.sg-readout');
    this.display = { colours: 'magma', axis: this.constructor.axes[0], low: null, high: null };
    this.data = null;
    this.pointer = null;
    this.drawings = 0; // counted for tests and the benchmark
    this.off = document.createElement('canvas');
    this.request = newest(() => this.load());
    this.words();
    this.panel = parameterPanel(
      host.querySelector('.sg-side'), host.querySelector('.sg-together'), parameters, this.constructor.view, () => this.refresh(),
    );
    this.wire();
    this.redraw();
    this.refresh(); // a tab that is opened late finds its sound open
  }

  words() {
    const find = (selector) => this.host.querySelector(selector);
    this.plot.setAttribute('aria-label', `${word(`tab_${this.constructor.view}`)}. ${word('viewer_label')}`);
    find('.sg-empty').prepend(waveIcon());
    find('.sg-empty .sg-strong').textContent = word(`empty_${this.constructor.view}`);
    find('.sg-empty .sg-small').textContent = word('empty_hint');
    this.readout.textContent = word('point_at');
    const [colours, axis] = this.host.querySelectorAll('.sg-toolbar label span');
    colours.textContent = word('colours');
    axis.textContent = word('axis');
    find('.sg-range span').textContent = word('range');
    find('.sg-low').setAttribute('aria-label', word('range_low'));
    find('.sg-high').setAttribute('aria-label', word('range_high'));
    for (const button of this.host.querySelectorAll('[data-zoom]')) {
      button.title = word(`zoom_${button.dataset.zoom}`);
      button.setAttribute('aria-label', button.title);
    }
    for (const name of NAMES) find('.sg-colours').append(new Option(name, name));
    for (const kind of this.constructor.axes) find('.sg-axis').append(new Option(word(`axis_${kind}`), kind));
  }

  wire() {
    const find = (selector) => this.host.querySelector(selector);
    find('.sg-colours').addEventListener('change', (event) => { this.display.colours = event.target.value; this.redraw(); });
    find('.sg-axis').addEventListener('change', (event) => { this.display.axis = event.target.value; this.redraw(); });
    find('.sg-low').addEventListener('input', (event) => this.setRange('low', Number(event.target.value)));
    find('.sg-high').addEventListener('input', (event) => this.setRange('high', Number(event.target.value)));
    this.host.querySelector('.sg-zoom').addEventListener('click', (event) => {
      const how = event.target.dataset.zoom;
      if (how === 'in') zoom(0.5);
      if (how === 'out') zoom(2);
      if (how === 'all' && state.sound) show(0, state.sound.seconds);
    });
    events.addEventListener('sound', () => { this.refresh(); });
    events.addEventListener('shown', () => {
      this.headInside = this.inWindow(audio.currentTime);
      this.redraw();
      this.read();
      this.refresh();
    });
    audio.addEventListener('play', () => {
      const { start, end } = state.shown;
      if (!this.inWindow(audio.currentTime)) show(audio.currentTime, audio.currentTime + end - start);
    });
    new ResizeObserver(() => { this.redraw(); this.refresh(); }).observe(this.plot);
    followPlayhead((now) => this.follow(now));
    this.wirePointer();
    this.wireKeys();
    new MutationObserver(() => this.redraw()).observe(document.body, { attributes: true, attributeFilter: ['class'] });
  }

  wirePointer() {
    let drag = null;
    const place = (event) => {
      const box = this.plot.getBoundingClientRect();
      return { x: event.clientX - box.left, y: event.clientY - box.top };
    };
    this.plot.addEventListener('pointerdown', (event) => {
      if (!state.sound || event.button) return;
      drag = { ...place(event), shown: { ...state.shown }, moved: false };
      this.plot.setPointerCapture(event.pointerId);
    });
    this.plot.addEventListener('pointermove', (event) => {
      const at = place(event);
      if (drag && Math.abs(at.x - drag.x) > 4) drag.moved = true;
      if (drag?.moved) {
        const { start, end } = drag.shown;
        const by = ((drag.x - at.x) / this.area().width) * (end - start);
        show(start + by, end + by);
      }
      this.pointer = at;
      this.read();
    });
    this.plot.addEventListener('pointerup', (event) => {
      if (drag && !drag.moved && this.inside(place(event))) seek(this.timeAt(place(event).x));
      this.pointer = place(event);
      this.read();
      drag = null;
    });
    this.plot.addEventListener('pointercancel', () => { drag = null; });
    this.plot.addEventListener('pointerleave', (event) => {
      if (event.pointerType === 'touch') return; // what was tapped stays read
      this.pointer = null;
      this.read();
    });
    this.plot.addEventListener('dblclick', () => state.sound && show(0, state.sound.seconds));
    this.plot.addEventListener('wheel', (event) => {
      const { start, end } = state.shown;
      const all = end - start >= state.sound?.seconds;
      if (!state.sound || (all && event.deltaY > 0 && !event.ctrlKey)) return; // nothing to zoom out: scroll the page
      event.preventDefault();
      if (Math.abs(event.deltaX) > Math.abs(event.deltaY) || event.shiftKey) {
        const by = ((event.deltaX || event.deltaY) / this.area().width) * (end - start);
        show(start + by, end + by);
      } else zoom(Math.exp(event.deltaY * 0.002), this.timeAt(place(event).x));
    }, { passive: false });
  }

  wireKeys() {
    this.plot.addEventListener('keydown', (event) => {
      if (!state.sound || event.ctrlKey || event.metaKey || event.altKey) return;
      const { start, end } = state.shown;
      const step = (end - start) / 10;
      const keys = {
        '+': () => zoom(0.5), '=': () => zoom(0.5), '-': () => zoom(2),
        0: () => show(0, state.sound.seconds),
        ArrowLeft: () => (event.shiftKey ? show(start - step, end - step) : seek(audio.currentTime - step / 4)),
        ArrowRight: () => (event.shiftKey ? show(start + step, end + step) : seek(audio.currentTime + step / 4)),
        Home: () => seek(0),
        End: () => seek(state.sound.seconds),
        ' ': togglePlay,
      };
      if (!keys[event.key]) return;
      event.preventDefault();
      keys[event.key]();
    });
  }

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
    return state.shown.start + ((x - left) / width) * (state.shown.end - state.shown.start);
  }

  xOf(time) {
    const { left, width } = this.area();
    return left + ((time - state.shown.start) / (state.shown.end - state.shown.start)) * width;
  }

  axis() {
    const { low_hz: low, high_hz: high, mel_scale: scale } = this.data;
    return frequencyAxis(this.display.axis, low, high, scale);
  }

  visible() {
    return this.plot.offsetParent !== null && this.plot.getBoundingClientRect().width > 0;
  }

  /** Ask for what is on screen, if this view is; the newest request wins. */
  refresh() {
    if (state.sound && this.visible()) this.request();
  }

  async load() {
    const { id, seconds } = state.sound;
    const { start, end } = state.shown;
    const columns = Math.max(1, Math.min(2000, Math.round(this.area().width * this.ratio())));
    const request = { sound: id, config: this.panel.values(), start: Math.max(0, start), end: Math.min(seconds, end), columns };
    const key = JSON.stringify(request);
    if (key === this.loaded) { // back at what is on screen, perhaps from something impossible
      this.panel.accepted(this.data);
      return;
    }
    const late = setTimeout(() => this.host.toggleAttribute('data-busy', true), 250);
    try {
      const answer = await ask(this.server[`${this.constructor.view}_picture`], request);
      if (state.sound.id !== id) return;
      this.loaded = key;
      this.accept(answer, request);
      this.panel.accepted(answer);
    } catch (refusal) {
      if (state.sound.id !== id) return;
      if (refusal.key?.startsWith('parameter.')) this.panel.refused(refusal);
      else say(refusal.message);
      if (!this.current()) { // no picture of this sound yet: better none than another sound's
        this.data = this.loaded = null;
        this.redraw();
      }
    } finally {
      clearTimeout(late);
      this.host.removeAttribute('data-busy');
    }
  }

  /** Whether the picture at hand is the open sound's. */
  current() {
    return Boolean(this.data) && this.data.request.sound === state.sound?.id;
  }

  accept(answer, request) {
    const depth = Math.round(answer.high_db - answer.low_db);
    if (depth !== this.depth) [this.display.low, this.display.high] = [-depth, 0];
    this.depth = depth;
    this.data = { ...answer, levels: bytesOf(answer.levels), request };
    this.rangeInputs();
    this.redraw();
  }

  rangeInputs() {
    const [low, high] = [this.host.querySelector('.sg-low'), this.host.querySelector('.sg-high')];
    for (const input of [low, high]) [input.min, input.max, input.disabled] = [-this.depth, 0, false];
    [low.value, high.value] = [this.display.low, this.display.high];
    const { high_db: top } = this.data;
    this.host.querySelector('.sg-range output').textContent =
      `${number(top + this.display.low)} … ${number(top + this.display.high)} ${word('unit_db')}`;
  }

  setRange(which, value) {
    if (!this.data) return;
    const { low, high } = this.display;
    this.display[which] = which === 'low' ? Math.min(value, high - 1) : Math.max(value, low + 1);
    this.rangeInputs();
    this.redraw();
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
      this.scales(context);
      this.drawings += 1;
    }
    this.drawOverlay();
  }

  paint(context, ratio) {
    const { left, top, width, height } = this.area();
    const rows = Math.round(height * ratio);
    const { levels, columns, low_db: floor, high_db: ceiling, start, end } = this.data;
    const colours = this.palette(floor, ceiling);
    const image = new ImageData(columns, rows);
    const pixels = new Uint32Array(image.data.buffer);
    this.bands(rows).forEach((band, y) => {
      const from = band * columns;
      for (let x = 0; x < columns; x++) pixels[y * columns + x] = colours[levels[from + x]];
    });
    [this.off.width, this.off.height] = [columns, rows];
    this.off.getContext('2d').putImageData(image, 0, 0);
    context.save();
    context.beginPath();
    context.rect(left, top, width, height);
    context.clip();
    context.imageSmoothingEnabled = columns > width;
    const [x0, x1] = [this.xOf(start), this.xOf(end)];
    context.drawImage(this.off, x0, top, x1 - x0, height);
    context.restore();
  }

  /** The 256 colours of the levels under the display's own range. */
  palette(floor, ceiling) {
    const colours = table(this.display.colours);
    const { low, high } = this.display;
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
    context.textAlign = 'center';
    context.textBaseline = 'top';
    const { start, end } = state.shown;
    const marks = ticks(start, end, width / 70);
    const digits = marks.length > 1 ? Math.max(0, -Math.floor(Math.log10(marks[1] - marks[0]) + 1e-9)) : 2;
    for (const time of marks) {
      const x = this.xOf(time);
      context.fillRect(Math.round(x), top + height, 1, 4);
      context.fillText(end > 120 ? clock(time) : number(time, digits), x, top + height + 7);
    }
    context.textAlign = 'right';
    context.fillText(word('time_axis'), left + width + MARGIN.right - 2, top + height + 7);
    this.scaleBar(context, left + width + 12, top, height);
  }

  /** The unit of the vertical axis. */
  unit() {
    return word('freq_axis');
  }

  /** Labels of the vertical axis: [share from the bottom, text]. */
  marks(height) {
    const axis = this.axis();
    return frequencyTicks(axis, this.display.axis, 22 / height).map((hz) =>
      [axis.share(hz), hz >= 1000 ? `${number(hz / 1000, hz % 1000 ? 1 : 0)}k` : number(hz)]);
  }

  scaleBar(context, x, top, height) {
    const colours = table(this.display.colours);
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
      context.fillText(number(db), x + 16, y);
    }
    context.fillText(this.levelUnit(), x, top - 11);
  }

  levelUnit() {
    return word('level_axis');
  }

  /** The levels of the darkest and the brightest colour. */
  shownLevels() {
    const { high_db: ceiling } = this.data;
    return [ceiling + this.display.low, ceiling + this.display.high];
  }

  inWindow(time) {
    return time >= state.shown.start && time <= state.shown.end;
  }

  follow(now) {
    if (!this.visible()) return; // the view on screen leads
    // turn the page when the play head runs out of it, but leave alone who looks elsewhere while it plays
    if (!audio.paused && this.headInside && !this.inWindow(now)) show(now, now + state.shown.end - state.shown.start);
    this.headInside = this.inWindow(now);
    this.drawOverlay();
  }

  drawOverlay() {
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
  }

  /** Say what lies under the pointer: at once from the picture, and exactly once it rests. */
  read() {
    clearTimeout(this.rest);
    this.drawOverlay();
    if (!this.current() || !this.pointer || !this.inside(this.pointer)) {
      this.readout.textContent = word('point_at');
      return;
    }
    const { top, height } = this.area();
    const time = Math.max(0, this.timeAt(this.pointer.x));
    const rows = Math.max(1, Math.round(height));
    const share = 1 - (this.pointer.y - top) / height;
    const band = this.bands(rows)[Math.min(rows - 1, Math.floor((1 - share) * rows))];
    const { start, end, columns, levels, low_db: floor, high_db: ceiling } = this.data;
    const column = Math.max(0, Math.min(columns - 1, Math.floor(((time - start) / (end - start)) * columns)));
    const write = (value, digits) => {
      const least = value <= floor + 1e-3 && this.constructor.axes.length ? '≤ ' : ''; // below it the levels were cut
      this.readout.textContent = `${number(time, 3)} ${word('unit_s')} · ${this.reading(share, band, least + number(value, digits))}`;
    };
    write(floor + (levels[band * columns + column] / 255) * (ceiling - floor), 0);
    const { pointer, data: drawn } = this;
    this.rest = setTimeout(async () => {
      try {
        const { sound, config } = drawn.request; // the panel may be ahead of the picture
        const { value } = await ask(this.server.level, { sound, config, time, view: this.constructor.view, ...this.place(share, band) });
        if (this.pointer === pointer && this.data === drawn) write(value, 2);
      } catch (refusal) {
        console.info(refusal.message); // the rounded level stays
      }
    }, REST_MS);
  }

  /** What tells the server where the pointer is, beside the time. */
  place(share, band) {
    return { band };
  }

  /** What lies under the pointer, beside the time, in words. */
  reading(share, band, value) {
    const hz = this.axis().hz(share);
    return `${number(hz)} ${word('unit_hz')} · ${number(hzToMel(hz, this.data.mel_scale), 1)} mel · ` +
      `${value} ${word('unit_db')}`;
  }
}

/** The sign of a view that waits for a sound. */
export function waveIcon() {
  const bars = Array.from({ length: 24 }, (_, i) => {
    const height = 4 + 32 * Math.abs(Math.sin(i * 0.55) * Math.cos(i * 0.21));
    return `<rect x="${i * 5}" y="${20 - height / 2}" width="3" height="${height}" rx="1.5"/>`;
  });
  return element(`<svg viewBox="0 0 120 40" aria-hidden="true">${bars.join('')}</svg>`);
}

/** A small still picture of levels, for parts of the page that show one (class tab). */
export function paintLevels(canvas, { levels, rows, columns }, colours = 'magma') {
  const colourOf = table(colours);
  [canvas.width, canvas.height] = [columns, rows];
  const image = new ImageData(columns, rows);
  const pixels = new Uint32Array(image.data.buffer);
  for (let y = 0; y < rows; y++) {
    for (let x = 0; x < columns; x++) pixels[y * columns + x] = colourOf[levels[(rows - 1 - y) * columns + x]];
  }
  canvas.getContext('2d').putImageData(image, 0, 0);
}
