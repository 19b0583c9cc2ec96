// Waveform above a spectrogram, on its time axis, where the window is large enough (see layout.css).

import { latestOnly, request } from '../core/rpc.js';
import { secondOf } from '../core/display_settings.js';
import { audio, onPlayhead, seek, state } from '../core/state.js';
import { pixelRatio, prepareCanvas } from '../lib/canvas_axes.js';
import { element, find, onResize, onThemeChange } from '../lib/dom.js';
import { decodeWaveform, paintWaveform, wavePart } from './waveform_drawing.js';

const FINER = 3; // columns to load a pixel, for a zoom that needs none
const MOST_COLUMNS = 4000;
const SETTLE_MS = 150; // the visible range may still be changing

export function waveformStrip(viewer) {
  // a part of the page with a view of its own is small
  if (viewer.view !== 'wave' && viewer.owner === viewer.view) new WaveformStrip(viewer);
}

class WaveformStrip {
  data = null; // the server's answer, with its request
  settling = 0; // timer
  load = latestOnly(() => this.loadNow());

  constructor(viewer) {
    this.viewer = viewer;
    this.root = element(`<div class="sg-wave-strip" data-tip="viewer.wave_strip"><canvas aria-hidden="true"></canvas>
      <i class="sg-wave-selection" hidden></i><i class="sg-wave-playhead" hidden></i></div>`);
    this.canvas = find(this.root, 'canvas');
    this.selected = find(this.root, '.sg-wave-selection');
    this.head = find(this.root, '.sg-wave-playhead');
    viewer.above.append(this.root);
    viewer.onState('sound visible', () => this.refresh());
    viewer.onState('selection', () => this.place());
    viewer.onState('display', () => this.showOrHide());
    onResize(this.root, () => this.refresh(), viewer.signal);
    onThemeChange(() => this.draw(), viewer.signal);
    onPlayhead(() => this.place(), viewer.signal);
    viewer.signal.addEventListener('abort', () => clearTimeout(this.settling));
    this.root.addEventListener('click', ({ clientX }) => {
      const { left, width } = this.root.getBoundingClientRect();
      seek(state.visible.start + ((clientX - left) / width) * (state.visible.end - state.visible.start));
    });
    this.showOrHide();
  }

  showOrHide() {
    this.root.hidden = secondOf(this.viewer.view) !== 'wave';
  }

  get onScreen() {
    return Boolean(state.sound) && this.root.offsetParent !== null;
  }

  refresh() {
    if (!this.onScreen) return;
    this.draw();
    clearTimeout(this.settling);
    const { covered, fine } = this.has(this.query());
    if (!covered) this.load();
    else if (!fine) this.settling = setTimeout(() => this.load(), SETTLE_MS); // what is there is drawn meanwhile
  }

  query() {
    const { sound: { id, seconds }, visible: { start, end } } = state;
    return { sound: id, start, end: Math.min(seconds, end), columns: Math.max(1, Math.min(MOST_COLUMNS, FINER * this.pixels())) };
  }

  /** The width in pixels of the screen. */
  pixels() {
    return Math.min(MOST_COLUMNS, Math.round(this.root.clientWidth * pixelRatio()));
  }

  /** Whether the data reach as far as a request, and have a column a pixel there or all samples. */
  has({ sound, start, end }) {
    const { request: loaded, samples } = this.data ?? {};
    const covered = loaded?.sound === sound && loaded.start <= start && end <= loaded.end;
    const shown = covered && (loaded.columns * (end - start)) / (loaded.end - loaded.start);
    return { covered, fine: covered && (samples || shown >= this.pixels()) };
  }

  async loadNow() {
    if (!this.onScreen) return;
    const query = this.query();
    if (this.has(query).fine) return;
    try {
      const data = decodeWaveform(await request(this.viewer.server.wave_view, query));
      if (state.sound.id !== query.sound || this.viewer.signal.aborted) return;
      this.data = { ...data, request: query };
      this.draw();
    } catch (error) {
      console.info(error.message); // the spectrogram reports it, too
    }
  }

  /** Return the function of a time to its position in CSS pixels. */
  scale() {
    const { root: { clientWidth: width } } = this; // once: it may lay the page out
    const { start, end } = state.visible;
    return (time) => ((time - start) / (end - start)) * width;
  }

  draw() {
    if (!this.onScreen) return;
    const { clientWidth: width, clientHeight: height } = this.root;
    const context = prepareCanvas(this.canvas, { width, height });
    this.place();
    if (this.data?.request.sound !== state.sound.id) return; // its data are on their way
    const data = wavePart(this.data, state.visible, this.pixels());
    paintWaveform(context, data, { left: 0, top: 0, width, height }, this.scale(), getComputedStyle(this.root));
  }

  /** Place the playhead and the selection. */
  place() {
    if (!this.onScreen) return;
    const [{ clientWidth: width }, x] = [this.root, this.scale()];
    const inside = (time) => Math.min(width, Math.max(0, x(time)));
    const { currentTime: now } = audio;
    this.head.hidden = now < state.visible.start || now > state.visible.end;
    this.head.style.left = `${inside(now)}px`;
    const { selection } = state;
    const [left, right] = selection ? [inside(selection.start), inside(selection.end)] : [0, 0];
    this.selected.hidden = right <= left;
    Object.assign(this.selected.style, { left: `${left}px`, width: `${right - left}px` });
  }
}
