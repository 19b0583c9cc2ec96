// Spectrum slice: level over frequency at the right of the spectrogram, on its frequency axis; at the pointer, at the
// playhead during playback, or the mean over the selection. Exact levels from the server.

import { request, latestOnly } from '../core/rpc.js';
import { keepFlag } from '../core/link_fields.js';
import { emit, audio, onPlayhead, state } from '../core/state.js';
import { prepareCanvas } from '../lib/canvas_axes.js';
import { decodeBase64, element, find, onResize } from '../lib/dom.js';
import { formatHz, formatNumber, t } from '../lib/i18n.js';
import { ticks } from '../lib/frequency_axis.js';
import { wait } from '../lib/wait.js';
import { toolButton } from '../widgets/menu.js';
import { shortcut } from './shortcuts.js';

const PAUSE_MS = 50; // between two requests: some 15 slices a second

const shownAtFirst = matchMedia('(min-width: 901px)').matches; // a phone is wide enough for it only on demand
let on = shownAtFirst;

function toggle() {
  on = !on;
  emit('slice');
}

keepFlag('spectrum', shownAtFirst, () => on, (shown) => {
  on = shown;
  emit('slice');
});

export const spectrumSlice = (viewer) => (viewer.pitched ? new SpectrumSlice(viewer) : {});

/** The slice of one viewer; `point`, `image` and `keys` are hooks. */
class SpectrumSlice {
  spectrum = null; // { levels, centre(row), peak: [hz, db] or null }
  pointed = null; // what the pointer is at
  key = ''; // of the request that `spectrum` answers
  keys = { m: shortcut('measurements.key_slice', 'display', toggle) };
  load = latestOnly(() => this.loadNow());

  constructor(viewer) {
    this.viewer = viewer;
    this.button = toolButton('slice', 'measurements.slice', 'M', toggle);
    viewer.toolbar.append(this.button);
    this.root = element(`<figure class="sg-slice"><figcaption></figcaption>
      <canvas role="img" data-aria="measurements.slice"></canvas><p></p></figure>`);
    this.caption = find(this.root, 'figcaption');
    this.canvas = find(this.root, 'canvas');
    this.peakText = find(this.root, 'p');
    viewer.right.append(this.root);
    viewer.onState('slice', () => this.showOrHide());
    viewer.onState('selection', () => this.refresh());
    onPlayhead(() => this.refresh(), viewer.signal);
    onResize(this.root, () => this.image(), viewer.signal);
    this.showOrHide();
  }

  showOrHide() {
    this.button.setAttribute('aria-pressed', String(on));
    this.root.hidden = !on;
    this.viewer.host.toggleAttribute('data-slice', on);
    this.refresh();
  }

  refresh() { // not during a drag: the server is to render its views first
    const { viewer } = this;
    if (on && !viewer.pressed.size && viewer.onScreen && viewer.current()) this.load();
  }

  point(at) {
    this.pointed = at;
    this.refresh();
  }

  /** The interval to show and the message that describes it. */
  interval() {
    const { selection, sound: { seconds } } = state;
    if (!this.pointed && audio.paused && selection) return { ...selection, name: 'measurements.slice_selection' };
    const time = Math.min(seconds, Math.max(0, this.pointed?.time ?? audio.currentTime));
    return { start: time, end: time, name: this.pointed ? 'measurements.slice_pointer' : 'measurements.slice_head' };
  }

  async loadNow() {
    const { viewer } = this;
    if (!viewer.current()) return; // another sound was opened while this waited
    const { start, end, name } = this.interval();
    const { request: { sound, config }, edges_hz: edges } = viewer.spectrogram;
    const query = { sound, config, view: viewer.view, start, end };
    const key = JSON.stringify(query);
    if (key === this.key) return this.image();
    try {
      const answer = await request(viewer.server.spectrum, query);
      if (!viewer.current() || viewer.spectrogram.request.sound !== sound) return;
      this.key = key;
      const binHz = config.sample_rate / config.n_fft;
      const centre = viewer.view === 'mel' ? (row) => edges[row + 1] : (row) => row * binHz;
      this.show(answer, centre, t(name, { time: formatNumber(start, 3) }));
    } catch (error) {
      console.info(error.message); // the image reports it, too
    }
    await wait(PAUSE_MS);
  }

  show(answer, centre, caption) {
    const mel = this.viewer.view === 'mel';
    const levels = new Float32Array(decodeBase64(answer.levels).buffer);
    const loudest = levels.reduce((best, level, row) => (level > levels[best] ? row : best), 0);
    const peak = answer.peak ?? (mel && levels[loudest] > levels[0] ? [centre(loudest), levels[loudest]] : null);
    this.spectrum = { levels, centre, peak };
    this.caption.textContent = caption;
    this.peakText.textContent = peak
      ? `${formatHz(peak[0], mel ? 0 : 1)} · ${formatNumber(peak[1], 1)} ${t('page.unit_db')}`
      : t('page.silence');
    const description = `${t('measurements.slice')}, ${caption}. ${t('measurements.slice_peak')}: ${this.peakText.textContent}`;
    this.canvas.setAttribute('aria-label', description);
    this.image();
  }

  /** Draw the spectrum; a hook, since its axis is the image's. */
  image() {
    if (this.spectrum && this.viewer.current() && this.root.offsetParent) paint(this.canvas, this.viewer, this.spectrum);
  }
}

function paint(canvas, viewer, { levels, centre, peak }) {
  const { width, height } = canvas.getBoundingClientRect();
  const context = prepareCanvas(canvas, { width, height });
  const style = getComputedStyle(canvas);
  const [low, high] = viewer.levelRange(viewer.spectrogram);
  const axis = viewer.axis();
  const x = (db) => Math.max(0, Math.min(1, (db - low) / (high - low))) * (width - 3);
  const y = (hz) => (1 - axis.share(hz)) * height;
  const marks = ticks(low, high, width / 42);
  context.fillStyle = style.borderColor;
  for (const db of marks) context.fillRect(Math.round(x(db)), 0, 1, height);
  const path = new Path2D();
  levels.forEach((level, row) => path.lineTo(x(level), y(centre(row))));
  const filled = new Path2D(path);
  filled.lineTo(0, y(centre(levels.length - 1)));
  filled.lineTo(0, y(centre(0)));
  context.globalAlpha = 0.22;
  context.fillStyle = context.strokeStyle = style.getPropertyValue('--sg-accent');
  context.fill(filled);
  context.globalAlpha = 1;
  context.lineWidth = 1.2;
  context.stroke(path);
  if (peak) {
    context.beginPath();
    context.arc(Math.max(3, x(peak[1])), y(peak[0]), 3.2, 0, 2 * Math.PI);
    context.fill();
  }
  context.font = `10px ${style.fontFamily}`;
  context.textBaseline = 'bottom';
  context.fillStyle = style.color;
  for (const db of marks) {
    context.textAlign = x(db) < 12 ? 'left' : x(db) > width - 14 ? 'right' : 'center';
    context.fillText(formatNumber(db), x(db), height - 1);
  }
}
