// 3D view: the spectrogram as a surface, drawn by the plotly.min.js of the Python package.

import { audio, onPlayhead, seek, showMessage, state } from '../core/state.js';
import { decodeBase64, fileUrl, find, onResize, onThemeChange } from '../lib/dom.js';
import { messagesReady, t, tForPointer } from '../lib/i18n.js';
import { detectionLanes } from '../viewer/detection_lanes.js';
import { fullScreen } from '../viewer/fullscreen.js';
import { labelTrack } from '../viewer/labels/label_track.js';
import { minimap } from '../viewer/minimap.js';
import { addLink } from '../viewer/permalink.js';
import { saveMenu } from '../viewer/save_menu.js';
import { KEYS, shortcut, wireKeys } from '../viewer/shortcuts.js';
import { shortcutsDialog } from '../viewer/shortcuts_dialog.js';
import { EMPTY, SoundView } from '../viewer/sound_view.js';
import { group } from '../widgets/menu.js';
import { rovingFocus } from '../widgets/roving_focus.js';
import { CAMERAS, fly, isNear, openWith, same, turned, wayTo } from './camera.js';
import { displayMenu, exportedLook, keepLook, textButton } from './look.js';
import { SurfacePlayhead } from './playhead.js';
import { printable } from './paper_copy.js';
import { hasWebgl, loadPlotly, plotly } from './plotly.js';
import { savePage, savePng } from './save.js';
import { sceneLayout, surfaceTraces } from './scene.js';
import { saveTurn } from './turn_video.js';

const GRID = { columns: 320, rows: 160 }; // more are indistinguishable from afar
const FINE_GRID = { columns: 640, rows: 256 }; // of a camera that is near
const NARROW = 600; // CSS pixels: a phone
const TURN = Math.PI / 18; // a press of a key
const CLICK_PX = 5; // a press that moves less is a click
const CONFIG = { responsive: true, displaylogo: false, displayModeBar: false };
const MARKUP = `
  <div class="sg-plot" tabindex="0" role="application">
    <div class="sg-surface"></div>
    ${EMPTY}
    <p class="sg-drawing" data-t="surface.drawing" hidden></p>
  </div>`;
export async function mount(root, { server, props }) {
  await messagesReady;
  new Surface(root.querySelector('.sg-viewer'), server, props.parameters, fileUrl(props.plotly));
}

class Surface extends SoundView {
  static view = 'surface';
  static label = 'surface.label';

  gestures = [
    ['surface.gesture_drag', 'surface.gesture_turn'], ['viewer_toolbar.gesture_wheel', 'surface.gesture_closer'],
    ['surface.gesture_right_drag', 'surface.gesture_shift'], ['viewer_toolbar.gesture_click', 'viewer_toolbar.gesture_seek'],
    ['viewer_toolbar.gesture_pinch', 'surface.gesture_closer'],
  ];
  look = { of: 'mel', light: 'ridges', height: 0.5 };
  hovered = null; // time under the pointer
  drawn = 0; // how often Plotly has drawn the surface
  webgl = null; // whether the browser can draw in 3D, once asked
  stale = false; // whether a drawing was skipped because the view was not on screen
  flight = new AbortController();

  constructor(host, server, spec, plotlyUrl) {
    super(host, server, spec, MARKUP);
    this.plotlyUrl = plotlyUrl;
    this.stage = this.find('.sg-surface');
    this.below.append(minimap(this.signal));
    this.playhead = new SurfacePlayhead(this.plot);
    this.camera = this.fitted(CAMERAS.corner);
    this.shortcuts = this.addTools();
    detectionLanes(this);
    rovingFocus(this.toolbar, this.signal);
    this.wire();
    keepLook(this);
    this.refresh();
  }

  destroy() {
    this.flight.abort();
    if (this.drawn) plotly().purge(this.stage);
    super.destroy();
  }

  get hint() {
    return tForPointer('surface.hint');
  }

  /** Fill the toolbar; return the shortcuts. */
  addTools() {
    this.sources = ['mel', 'stft'].map((of) => textButton(`surface.source_${of}`, of, () => this.showOf(of)));
    this.cameras = Object.entries(CAMERAS).map(([name, camera]) => (
      textButton(`surface.camera_${name}`, name, () => this.flyTo(camera))));
    this.toolbar.append(group('surface.source', ...this.sources), group('surface.cameras', ...this.cameras), displayMenu(this));
    this.markSource();
    saveMenu(this, [
      ['screen_png', t('surface.save_png'), () => this.save('png')], ['html', t('surface.save_html'), () => this.save('html')],
      ['webm', t('surface.save_video'), (close) => { close(); this.save('webm'); }], // its progress lies beneath
    ]);
    addLink(this);
    const key = (label, ...turn) => shortcut(label, 'display', () => this.turn(...turn));
    return {
      ...KEYS,
      ...labelTrack(this).keys,
      ...fullScreen(this).keys,
      a: key('surface.turn_left', -TURN, 0),
      d: key('surface.turn_right', TURN, 0),
      w: key('surface.turn_up', 0, TURN),
      s: key('surface.turn_down', 0, -TURN),
      q: key('surface.come_closer', 0, 0, 1 / 1.15),
      e: key('surface.step_back', 0, 0, 1.15),
      ...shortcutsDialog(this).keys,
    };
  }

  keys() {
    return this.shortcuts;
  }

  wire() {
    this.onState('sound visible', () => this.refresh());
    this.onState('display', () => this.draw());
    onResize(this.plot, () => this.refresh(), this.signal);
    onThemeChange(() => this.draw(), this.signal);
    printable(this);
    onPlayhead((now) => this.movePlayhead(now), this.signal);
    wireKeys(this);
    let pressed = null;
    this.plot.addEventListener('pointerdown', ({ button, clientX: x, clientY: y }) => {
      this.flight.abort();
      pressed = button ? null : { x, y, time: this.hovered };
    }, { capture: true });
    this.plot.addEventListener('pointerup', ({ clientX, clientY }) => {
      const still = pressed && Math.hypot(clientX - pressed.x, clientY - pressed.y) < CLICK_PX;
      if (still && pressed.time !== null) seek(pressed.time);
      pressed = null;
    }, { capture: true });
  }

  /** Write the look into its controls, and draw it. */
  showLook() {
    const { of, light, height } = this.look;
    Object.assign(find(this.toolbar, '.sg-light'), { value: light });
    Object.assign(find(this.toolbar, '.sg-height'), { value: height });
    if (this.panel.of !== of) this.showOf(of);
    else this.draw();
  }

  redraw() {
    if (this.drawn && this.data && this.onScreen) plotly().Plots.resize(this.stage);
  }

  refresh() {
    if (!this.onScreen) return;
    this.webgl ??= hasWebgl();
    if (this.webgl) return super.refresh();
    this.showEmpty(t('surface.no_webgl'), t('surface.no_webgl_hint')); // in place of Plotly's grey box
    this.toolbar.hidden = this.readout.hidden = true;
  }

  showOf(name) {
    this.look.of = this.panel.of = name;
    this.markSource();
    this.refresh();
  }

  markSource() {
    for (const button of this.sources) button.setAttribute('aria-pressed', String(button.dataset.choice === this.look.of));
  }

  /** Which cameras' buttons are pressed. */
  markCamera() {
    for (const button of this.cameras) {
      button.setAttribute('aria-pressed', String(same(this.camera, this.fitted(CAMERAS[button.dataset.choice]))));
    }
  }

  /** The visible interval and frequencies, in a finer grid from near. */
  query() {
    const grid = isNear(this.camera, this.narrow) ? FINE_GRID : GRID;
    return { ...super.query(), ...grid, ...state.frequencyRange, of: this.look.of };
  }

  exported() {
    return exportedLook(this);
  }

  async fetch(query) {
    return (await Promise.all([super.fetch(query), loadPlotly(this.plotlyUrl)]))[0];
  }

  async reuse() {
    if (this.stale) await this.draw();
    else this.movePlayhead(audio.currentTime);
  }

  async accept(answer, query) {
    this.data = { ...answer, levels: decodeBase64(answer.levels), of: query.of, name: state.sound.name, request: query };
    await this.draw();
  }

  clear() {
    super.clear();
    this.host.removeAttribute('data-filled');
    if (this.drawn) this.playhead.clear();
  }

  setBusy(busy) {
    super.setBusy(busy);
    this.find('.sg-drawing')?.toggleAttribute('hidden', !busy);
  }

  async draw() {
    this.stale = !this.onScreen;
    if (!this.data || this.stale) return;
    this.host.toggleAttribute('data-filled', true);
    if (!this.drawn && same(this.camera, CAMERAS.corner)) this.camera = this.fitted(CAMERAS.corner); // its width is known only now
    const { traces, layout } = this.scene();
    await plotly().react(this.stage, traces, layout, CONFIG);
    if (this.signal.aborted) return plotly().purge(this.stage);
    const first = !this.drawn; // of draws that overlap, the one that ends first
    if (first) this.listen();
    this.drawn += 1;
    this.playhead.follow(this.stage, () => this.movePlayhead(audio.currentTime));
    this.movePlayhead(audio.currentTime);
    this.markCamera();
    if (first && same(this.camera, this.fitted(CAMERAS.corner))) openWith(this);
  }

  /** Plotly's traces and layout, by default for the size of the view. */
  scene({ narrow = this.narrow, shape = this.plot.clientWidth / Math.max(1, this.plot.clientHeight) } = {}) {
    const { data, camera, look } = this;
    const { color: ink, fontFamily: family } = getComputedStyle(this.host);
    const layout = sceneLayout(data, { height: look.height, camera, ink, line: this.colour('--sg-line'), family, narrow, shape });
    return { traces: surfaceTraces(data, look, !narrow), layout };
  }

  /** A colour of the page. */
  colour(name) {
    return getComputedStyle(this.host).getPropertyValue(name).trim();
  }

  listen() {
    // Plotly keeps only cameras turned by the pointer, so every camera is stored here
    this.stage.on('plotly_relayout', (moved) => {
      this.camera = moved['scene.camera'] ?? this.camera;
      this.markCamera();
      this.refresh(); // a finer or coarser grid
    });
    this.stage.on('plotly_hover', ({ points: [point] }) => { this.hovered = point.x; });
    this.stage.on('plotly_unhover', () => { this.hovered = null; });
  }

  get narrow() {
    return this.plot.clientWidth > 0 && this.plot.clientWidth < NARROW;
  }

  /** A camera from further away in a narrow view, so that the whole surface is visible. */
  fitted({ eye: { x, y, z }, up, center }) {
    const away = this.narrow ? 1.5 : 1;
    return { eye: { x: x * away, y: y * away, z: z * away }, up, center };
  }

  /** Draw the playhead at a time, without redrawing the surface. */
  movePlayhead(now) {
    if (this.drawn && this.data && this.onScreen) this.playhead.draw(this.data, now, this.colour('--sg-accent'));
  }

  flyTo(camera) {
    if (!this.data) return;
    fly(wayTo(this.camera, this.fitted(camera)), (next) => this.lookFrom(next), this.newFlight());
  }

  /** The signal of a new flight, which ends the one before. */
  newFlight() {
    this.flight.abort();
    this.flight = new AbortController();
    return this.flight.signal;
  }

  turn(around, up, factor = 1) {
    if (!this.data) return;
    this.flight.abort();
    this.lookFrom(turned(this.camera, around, up, factor));
  }

  lookFrom(camera) {
    this.camera = camera;
    plotly().relayout(this.stage, { 'scene.camera': camera });
  }

  async save(kind) {
    if (!this.data) return;
    const { name: title } = this.data;
    try {
      if (kind === 'png') await savePng(this.stage, title);
      else if (kind === 'webm') await saveTurn(this, title);
      else await savePage(this.plotlyUrl, { ...this.scene(), title, ink: getComputedStyle(this.host).color });
    } catch (error) {
      showMessage(error.message);
    }
  }
}
