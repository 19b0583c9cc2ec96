// The spectrum slice: level over frequency beside the picture, on its frequency axis; at the pointer, at the play head
// while it plays, or the mean over the selection. Exact levels from the server.

import { request, latestOnly } from '../core/rpc.js';
import { emit, audio, events, onPlayhead, state } from '../core/state.js';
import { decodeBase64, element } from '../lib/dom.js';
import { formatNumber, t } from '../lib/i18n.js';
import { ticks } from '../lib/frequency_axis.js';
import { toolButton } from '../widgets/menu.js';
import { extend } from './viewer.js';

const PAUSE_MS = 50; // between two questions: some 15 slices a second are as smooth as one can read

const slice = { on: matchMedia('(min-width: 901px)').matches }; // a phone has no room for it, until it is asked for

const toggle = () => {
  slice.on = !slice.on;
  emit('slice');
};

extend((viewer) => {
  if (!viewer.pitched) return {};
  const button = toolButton('slice', 'measurements.slice', 'M', toggle);
  viewer.toolbar.append(button);
  const column = build(viewer);
  let pointer = null;
  let known = '';
  const load = latestOnly(async () => {
    if (!viewer.current()) return; // another sound was opened while this waited
    const place = placeOf(pointer);
    const { sound, config } = viewer.data.request;
    const { seconds } = state.sound;
    const query = { sound, config, view: viewer.constructor.view, start: Math.min(place.start, seconds), end: Math.min(place.end, seconds) };
    const key = JSON.stringify(query);
    if (key === known) return column.draw();
    try {
      const answer = await request(viewer.server.spectrum, query);
      if (!viewer.current() || viewer.data.request.sound !== sound) return;
      known = key;
      column.show(new Float32Array(decodeBase64(answer.levels).buffer), answer.peak, config, place);
    } catch (refusal) {
      console.info(refusal.message); // the picture says it, too
    }
    await new Promise((done) => { setTimeout(done, PAUSE_MS); });
  });
  const refresh = () => { // who drags looks at the picture, and the server is to draw that
    if (slice.on && !viewer.held && viewer.visible() && viewer.current()) load();
  };
  const show = () => {
    button.setAttribute('aria-pressed', String(slice.on));
    column.root.hidden = !slice.on;
    refresh();
  };
  events.addEventListener('slice', show);
  events.addEventListener('selection', refresh);
  events.addEventListener('sound', () => { pointer = null; });
  onPlayhead(refresh);
  new ResizeObserver(() => column.draw()).observe(column.root);
  show();
  return {
    keys: { m: { word: 'measurements.key_slice', group: 'display', run: toggle } },
    point: (at) => {
      pointer = at;
      refresh();
    },
    loaded: refresh,
    picture: () => column.draw(),
  };
});

/** Which stretch of time the slice shows, and the word for it. */
function placeOf(pointer) {
  const at = (time, name) => ({ start: Math.max(0, time), end: Math.max(0, time), name });
  if (pointer) return at(pointer.time, 'measurements.slice_pointer');
  if (!audio.paused || !state.selection) return at(audio.currentTime, 'measurements.slice_head');
  return { start: state.selection.start, end: state.selection.end, name: 'measurements.slice_selection' };
}

function build(viewer) {
  const root = element('<figure class="sg-slice"><figcaption></figcaption><canvas role="img"></canvas><p></p></figure>');
  const [caption, canvas, peakText] = root.children;
  canvas.setAttribute('aria-label', t('measurements.slice')); // until the first spectrum is there
  viewer.beside.append(root);
  let shown = null;
  const draw = () => { if (shown && viewer.current() && root.offsetParent) paint(canvas, viewer, shown); };
  const show = (levels, peak, config, place) => {
    const mel = viewer.constructor.view === 'mel';
    const centre = mel ? (row) => viewer.data.edges_hz[row + 1] : (row) => (row * config.sample_rate) / config.n_fft;
    if (mel && levels.length !== viewer.data.rows) return; // parameters have changed meanwhile: the next picture asks again
    const loudest = levels.reduce((best, level, row) => (level > levels[best] ? row : best), 0);
    shown = { levels, centre, peak: peak ?? (mel && levels[loudest] > levels[0] ? [centre(loudest), levels[loudest]] : null) };
    caption.textContent = t(place.name, { time: formatNumber(place.start, 3) });
    const [hz, db] = shown.peak ?? [];
    peakText.textContent = shown.peak ? `${formatNumber(hz, mel ? 0 : 1)} ${t('page.unit_hz')} · ${formatNumber(db, 1)} ${t('page.unit_db')}` : t('page.silence');
    canvas.setAttribute('aria-label', `${t('measurements.slice')}, ${caption.textContent}. ${t('measurements.slice_peak')}: ${peakText.textContent}`);
    viewer.slice = shown; // there for tests and the curious
    draw();
  };
  return { root, show, draw };
}

function paint(canvas, viewer, { levels, centre, peak }) {
  const ratio = viewer.ratio();
  const { width, height } = canvas.getBoundingClientRect();
  [canvas.width, canvas.height] = [Math.round(width * ratio), Math.round(height * ratio)];
  const context = canvas.getContext('2d');
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  const style = getComputedStyle(canvas);
  const [low, high] = viewer.shownLevels();
  const { top } = viewer.area();
  const x = (db) => Math.max(0, Math.min(1, (db - low) / (high - low))) * (width - 3);
  const y = (hz) => viewer.yOf(hz) - top;
  context.font = `10px ${style.fontFamily}`;
  context.textBaseline = 'bottom';
  for (const db of ticks(low, high, width / 42)) {
    context.fillStyle = style.borderColor;
    context.fillRect(Math.round(x(db)), 0, 1, height);
  }
  const path = outline(levels, x, (row) => y(centre(row)));
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
  context.fillStyle = style.color;
  for (const db of ticks(low, high, width / 42)) {
    context.textAlign = x(db) < 12 ? 'left' : x(db) > width - 14 ? 'right' : 'center';
    context.fillText(formatNumber(db), x(db), height - 1);
  }
}

/** The line through the levels; where many rows share a line of pixels, through the lowest and the highest of them. */
function outline(levels, x, y) {
  const path = new Path2D();
  let [line, low, high] = [null, Infinity, -Infinity];
  const flush = () => {
    if (line === null) return;
    path.lineTo(x(low), line);
    if (high > low) path.lineTo(x(high), line);
  };
  levels.forEach((level, row) => {
    const at = Math.round(2 * y(row)) / 2; // CSS pixels, to the half
    if (at !== line) {
      flush();
      [line, low, high] = [at, Infinity, -Infinity];
    }
    [low, high] = [Math.min(low, level), Math.max(high, level)];
  });
  flush();
  return path;
}
