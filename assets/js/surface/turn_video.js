// WebM of one turn of the 3D view. Every frame is drawn on a stage of its own and encoded with its exact time, so the file is
// smooth on slow computers, too; MediaRecorder would keep the pace, and the gaps, of the drawing.

import { element, find, saveFile, stem } from '../lib/dom.js';
import { t } from '../lib/i18n.js';
import { webm } from '../lib/webm.js';
import { lookAt, turned } from './camera.js';
import { glOf, plotly } from './plotly.js';

export const TURN = { seconds: 8, framesPerSecond: 30, width: 1280, height: 720 };
const STAGE_WIDTH = 960; // CSS pixels: the size of the axes' text
const FARTHER = 1.05; // the long side of the surface comes close in a turn
const BITS_PER_S = 8e6;
const KEY_FRAMES = 60; // from one to the next
const MAX_WAITING = 4; // frames in the encoder
const CODECS = ['vp09.00.31.08', 'vp8'];
const PANEL = `
  <div class="sg-video" role="group" data-aria="surface.save_video">
    <output class="sg-progress-text" aria-live="off"></output>
    <div class="sg-progress" role="progressbar" aria-valuemin="0" aria-valuemax="100" data-aria="surface.save_video"><i></i></div>
    <button type="button" class="sg-link" data-t="surface.video_cancel"></button>
  </div>`;

/** Save a WebM of one turn around the vertical, from the camera of a surface; its view stays as it is.
 * @param {any} surface
 * @param {string} title of the sound
 * @param {typeof TURN} [turn]
 */
export async function saveTurn(surface, title, turn = TURN) {
  const config = await encoderConfig(turn);
  if (surface.signal.aborted || find(surface.host, '.sg-video')) return; // one at a time
  if (!config) throw new Error(t('surface.no_encoder'));
  const { panel, show, signal } = progressPanel(surface);
  try {
    const file = await record(surface, config, title, turn, show, signal);
    if (!signal.aborted) saveFile(file, `${stem(title)}-3d.webm`, 'video/webm');
  } finally {
    panel.remove();
  }
}

/** What the browser's encoder is asked for, or null where it has none. */
async function encoderConfig({ width, height, framesPerSecond: framerate }) {
  if (!('VideoEncoder' in window)) return null;
  for (const codec of CODECS) {
    const config = { codec, width, height, bitrate: BITS_PER_S, framerate };
    const { supported } = await VideoEncoder.isConfigSupported(config).catch(() => ({ supported: false }));
    if (supported) return config;
  }
  return null;
}

/** A progress bar with a button that cancels. */
function progressPanel(surface) {
  const cancel = new AbortController();
  const panel = element(PANEL);
  const bar = find(panel, '.sg-progress');
  const show = (share) => {
    const percent = Math.floor(100 * share);
    bar.firstChild.style.width = `${percent}%`;
    bar.ariaValueNow = String(percent);
    find(panel, 'output').textContent = t('surface.video_progress', { percent });
  };
  show(0);
  find(panel, 'button').addEventListener('click', () => {
    cancel.abort();
    surface.plot.focus({ preventScroll: true });
  });
  surface.plot.after(panel); // over the plot by the styles: a press in the plot itself would turn or seek
  return { panel, show, signal: AbortSignal.any([cancel.signal, surface.signal]) };
}

/** The parts of the file; none once the signal has aborted. */
async function record(surface, config, title, turn, show, signal) {
  const { encoder, finish } = openEncoder(config);
  const stage = element('<div class="sg-video-stage" aria-hidden="true" inert></div>');
  try {
    await fillStage(stage, surface, turn);
    if (!signal.aborted) await drawTurn(surface, stage, encoder, title, turn, show, signal);
    if (signal.aborted) return [];
    return webm(await finish(), { ...config, ...turn }, title);
  } finally {
    if (encoder.state !== 'closed') encoder.close();
    closeStage(stage);
  }
}

/** Give an encoder each frame of a turn; stops where it failed. */
async function drawTurn(surface, stage, encoder, title, { seconds, framesPerSecond, width, height }, show, signal) {
  const canvas = Object.assign(document.createElement('canvas'), { width, height });
  const { color: ink, fontFamily: family } = getComputedStyle(surface.host);
  const look = { ground: getComputedStyle(document.body).backgroundColor, ink, family, title };
  const count = Math.round(seconds * framesPerSecond);
  const first = turned(surface.camera, 0, 0, FARTHER);
  for (let i = 0; i < count && encoder.state === 'configured'; i += 1) {
    drawFrame(canvas, stage, turned(first, (2 * Math.PI * i) / count, 0, 1), look);
    const [timestamp, next] = [i, i + 1].map((n) => Math.round((1e6 * n) / framesPerSecond));
    const frame = new VideoFrame(canvas, { timestamp, duration: next - timestamp });
    encoder.encode(frame, { keyFrame: i % KEY_FRAMES === 0 });
    frame.close();
    show((i + 1) / count);
    do {
      await new Promise((done) => { setTimeout(done); }); // the page stays usable
      if (signal.aborted) return;
    } while (encoder.encodeQueueSize > MAX_WAITING);
  }
}

/** An encoder; `finish` returns its frames and their colour space, or rejects where it failed. */
function openEncoder(config) {
  const frames = [];
  let [colour, failure] = [{}, null];
  const encoder = new VideoEncoder({
    output: (chunk, about) => {
      const data = new Uint8Array(chunk.byteLength);
      chunk.copyTo(data);
      frames.push({ data, ms: Math.round(chunk.timestamp / 1000), key: chunk.type === 'key' });
      if (about?.decoderConfig) colour = about.decoderConfig.colorSpace ?? colour;
    },
    error: (error) => { failure = error; },
  });
  encoder.configure(config);
  const finish = async () => {
    await encoder.flush().catch((error) => {
      throw new Error(t('surface.video_failed', { reason: (failure ?? error).message }));
    });
    return { frames, colour };
  };
  return { encoder, finish };
}

/** Fill a stage, outside the window, with a surface's data and look, in the video's shape. */
async function fillStage(stage, surface, turn) {
  const [width, height] = [STAGE_WIDTH, (STAGE_WIDTH * turn.height) / turn.width];
  stage.style.cssText = `width: ${width}px; height: ${height}px`;
  document.body.append(stage);
  const { traces, layout } = surface.scene({ narrow: false, shape: 1.4 });
  traces[0].showscale = false; // the axis has the levels
  await plotly().newPlot(stage, traces, { ...layout, width, height }, { displayModeBar: false, plotGlPixelRatio: turn.width / width });
  const { camera } = glOf(stage);
  camera.tick = () => false; // Plotly's own camera follows with a delay
}

/** Remove a stage, also one that Plotly could not fill. */
function closeStage(stage) {
  const gl = stage._fullLayout?.scene?._scene?.glplot?.gl;
  plotly().purge(stage);
  gl?.getExtension('WEBGL_lose_context')?.loseContext(); // browsers limit the contexts of a page
  stage.remove();
}

/** Draw the stage from a camera, and copy it while WebGL still has it: in the same task. */
function drawFrame(canvas, stage, camera, { ground, ink, family, title }) {
  const plot = glOf(stage);
  const context = canvas.getContext('2d');
  const { width, height } = canvas;
  for (const [i, value] of lookAt(camera).entries()) plot.camera.matrix[i] = value;
  plot.redraw();
  context.fillStyle = ground;
  context.fillRect(0, 0, width, height);
  context.drawImage(plot.canvas, 0, 0, width, height);
  context.fillStyle = ink;
  context.font = `600 20px ${family}`;
  context.fillText(title, 24, 40, width - 48);
}
