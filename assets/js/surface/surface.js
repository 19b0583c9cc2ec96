// 3D view: the spectrogram as a surface, drawn by the plotly.min.js of the Python package.

import { audio, emit, onPlayhead, seek, showMessage, state } from '../core/state.js';
import { changeDisplay, display } from '../core/display_settings.js';
import { NAMES } from '../lib/colormaps.js';
import { decodeBase64, element, fileUrl, find, onResize, onThemeChange, translated } from '../lib/dom.js';
import { messagesReady, t, tForPointer } from '../lib/i18n.js';
import { fullScreen } from '../viewer/fullscreen.js';
import { minimap } from '../viewer/minimap.js';
import { addLink } from '../viewer/permalink.js';
import { KEYS, shortcut, wireKeys } from '../viewer/shortcuts.js';
import { help } from '../viewer/shortcuts_dialog.js';
import { EMPTY, SoundView } from '../viewer/sound_view.js';
import { menu } from '../widgets/menu.js';
import { addToMore } from '../widgets/overflow_menu.js';
import { CAMERAS, fly, turned } from './camera.js';
import { SurfacePlayhead } from './playhead.js';
import { hasWebgl, loadPlotly, plotly } from './plotly.js';
import { savePage, savePng } from './save.js';
import { LIGHTS, sceneLayout, surfaceTrace } from './scene.js';

const COLUMNS = 320; // more are indistinguishable in 3D
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
const DISPLAY = `
  <label><span data-t="viewer_toolbar.colours"></span><select class="sg-colours"></select></label>
  <label><span data-t="surface.light"></span><select class="sg-light"></select></label>
  <label><span data-t="surface.height"></span><input type="range" class="sg-height" min="0.1" max="1.2" step="0.05"></label>`;

export async function mount(root, { server, props }) {
  await messagesReady;
  new Surface(root.querySelector('.sg-viewer'), server, props.parameters, fileUrl(props.plotly));
}

class Surface extends SoundView {
  static view = 'surface';

  /** what the dialog of shortcuts says of the pointer: [gesture, what it does] */
  gestures = [
    ['surface.gesture_drag', 'surface.gesture_turn'], ['viewer_toolbar.gesture_wheel', 'surface.gesture_closer'],
    ['surface.gesture_right_drag', 'surface.gesture_shift'], ['viewer_toolbar.gesture_click', 'viewer_toolbar.gesture_seek'],
    ['viewer_toolbar.gesture_pinch', 'surface.gesture_closer'],
  ];
  look = { of: 'mel', light: 'soft', height: 0.5 };
  hovered = null; // time under the pointer
  drawn = 0; // how often Plotly has drawn the surface
  webgl = null; // whether the browser can draw in 3D, once asked
  stale = false; // whether a drawing was skipped because the view was not on screen
  flight = new AbortController();

  constructor(host, server, parameters, plotlyUrl) {
    super(host, server, parameters, MARKUP);
    this.plotlyUrl = plotlyUrl;
    this.stage = this.find('.sg-surface');
    this.plot.after(minimap(this.signal));
    this.playhead = new SurfacePlayhead(this.plot);
    this.camera = this.fitted(CAMERAS.corner);
    this.addTools();
    this.wire();
    this.refresh();
  }

  destroy() {
    this.flight.abort();
    if (this.drawn) plotly().purge(this.stage);
    super.destroy();
  }

  get emptyKey() {
    return 'surface.empty';
  }

  showTexts() {
    super.showTexts();
    this.readout.textContent = tForPointer('surface.hint');
    this.plot.setAttribute('aria-label', `${t('page.tab_surface')}. ${t('surface.label')}`);
  }

  addTools() {
    const of = choices('surface.source', ['mel', 'stft'], (name) => t(`surface.source_${name}`), (name) => this.showOf(name));
    const cameras = choices('surface.cameras', Object.keys(CAMERAS), (name) => t(`surface.camera_${name}`),
      (name) => this.flyTo(CAMERAS[name]));
    for (const button of cameras.children) button.dataset.camera = button.dataset.choice;
    this.ofButtons = [...of.children];
    this.toolbar.append(of, cameras, this.displayMenu());
    this.markChoice();
    const key = (label, ...turn) => shortcut(label, 'display', () => this.turn(...turn));
    addToMore(this, 'picture', 'surface.save_png', '', () => this.save('png'));
    addToMore(this, 'page', 'surface.save_html', '', () => this.save('html'));
    addLink(this);
    this.shortcuts = {
      ...KEYS,
      ...fullScreen(this),
      a: key('surface.turn_left', -TURN, 0),
      d: key('surface.turn_right', TURN, 0),
      w: key('surface.turn_up', 0, TURN),
      s: key('surface.turn_down', 0, -TURN),
      q: key('surface.come_closer', 0, 0, 1 / 1.15),
      e: key('surface.step_back', 0, 0, 1.15),
      ...help(this),
    };
  }

  keys() {
    return this.shortcuts;
  }

  displayMenu() {
    const { root, panel } = menu('display', 'viewer_toolbar.display', { text: true, signal: this.signal });
    root.classList.add('sg-right');
    panel.innerHTML = DISPLAY;
    translated(panel);
    const [colours, light, height] = ['.sg-colours', '.sg-light', '.sg-height'].map((selector) => find(panel, selector));
    for (const name of NAMES) colours.append(new Option(t(`viewer_toolbar.colours_${name}`), name));
    for (const name of Object.keys(LIGHTS)) light.append(new Option(t(`surface.light_${name}`), name));
    height.value = this.look.height;
    colours.addEventListener('change', () => changeDisplay({ colours: colours.value }));
    light.addEventListener('change', () => { this.look.light = light.value; this.draw(); });
    height.addEventListener('input', () => { this.look.height = Number(height.value); this.draw(); });
    const follow = () => { colours.value = display.colours; };
    this.onState('display', follow);
    follow();
    return root;
  }

  wire() {
    this.onState('sound visible', () => this.refresh());
    this.onState('display', () => this.draw());
    onResize(this.plot, () => this.refresh(), this.signal);
    onThemeChange(() => this.draw(), this.signal);
    onPlayhead((now) => this.movePlayhead(now), this.signal);
    wireKeys(this);
    let pressed = null;
    this.plot.addEventListener('pointerdown', (event) => {
      this.flight.abort();
      pressed = event.button ? null : { x: event.clientX, y: event.clientY, time: this.hovered };
    }, { capture: true, signal: this.signal });
    this.plot.addEventListener('pointerup', ({ clientX, clientY }) => {
      const still = pressed && Math.hypot(clientX - pressed.x, clientY - pressed.y) < CLICK_PX;
      if (still && pressed.time !== null) seek(pressed.time);
      pressed = null;
    }, { capture: true, signal: this.signal });
  }

  redraw() {
    if (this.data && this.onScreen) plotly().Plots.resize(this.stage);
  }

  refresh() {
    if (!this.onScreen) return;
    this.webgl ??= hasWebgl();
    if (this.webgl) super.refresh();
    else this.showNoWebgl();
  }

  /** Explain the empty view in place of Plotly's grey box. */
  showNoWebgl() {
    this.find('.sg-empty .sg-strong').textContent = t('surface.no_webgl');
    this.find('.sg-empty .sg-small').textContent = t('surface.no_webgl_hint');
    this.toolbar.hidden = this.readout.hidden = true;
  }

  showOf(name) {
    this.look.of = this.panel.of = name;
    this.markChoice();
    this.refresh();
  }

  markChoice() {
    for (const button of this.ofButtons) button.setAttribute('aria-pressed', String(button.dataset.choice === this.look.of));
  }

  query() {
    return { ...super.query(), columns: COLUMNS, of: this.look.of };
  }

  async fetch(query) {
    const [answer] = await Promise.all([super.fetch(query), loadPlotly(this.plotlyUrl)]);
    return answer;
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
    this.find('.sg-drawing').hidden = !busy;
  }

  async draw() {
    this.stale = !this.onScreen;
    if (!this.data || this.stale) return;
    this.host.toggleAttribute('data-filled', true);
    const { traces, layout } = this.scene();
    await plotly().react(this.stage, traces, layout, CONFIG);
    if (this.signal.aborted) return;
    if (!this.drawn) this.listen();
    this.drawn += 1;
    this.playhead.follow(this.stage, () => this.movePlayhead(audio.currentTime));
    this.movePlayhead(audio.currentTime);
    emit('surface');
  }

  /** Plotly's traces and layout. */
  scene() {
    const style = getComputedStyle(this.host);
    const [ink, line, family] = [style.color, style.getPropertyValue('--sg-line').trim(), style.fontFamily];
    const [{ light, height }, narrow] = [this.look, this.narrow()];
    return {
      traces: [surfaceTrace(this.data, light, !narrow)],
      layout: sceneLayout(this.data, { height, camera: this.camera, ink, line, family, narrow }),
    };
  }

  listen() {
    // Plotly keeps only cameras turned by the pointer, so every camera is stored here
    this.stage.on('plotly_relayout', (moved) => { this.camera = moved['scene.camera'] ?? this.camera; });
    this.stage.on('plotly_hover', ({ points: [point] }) => { this.hovered = point.x; });
    this.stage.on('plotly_unhover', () => { this.hovered = null; });
  }

  narrow() {
    return this.plot.clientWidth > 0 && this.plot.clientWidth < NARROW;
  }

  /** A camera from further away in a narrow view, so that the whole surface is visible. */
  fitted({ eye: { x, y, z }, up, center }) {
    const away = this.narrow() ? 1.5 : 1;
    return { eye: { x: x * away, y: y * away, z: z * away }, up, center };
  }

  /** Draw the play head at a time, without redrawing the surface. */
  movePlayhead(now) {
    if (!this.drawn || !this.data || !this.onScreen) return;
    this.playhead.draw(this.data, now, getComputedStyle(this.host).getPropertyValue('--sg-accent').trim());
  }

  flyTo(camera) {
    if (!this.data) return;
    this.flight.abort();
    this.flight = new AbortController();
    fly(this.camera, this.fitted(camera), (next) => this.lookFrom(next), this.flight.signal);
  }

  turn(around, up, factor = 1) {
    if (this.data) this.lookFrom(turned(this.camera, around, up, factor));
  }

  lookFrom(camera) {
    this.camera = camera;
    plotly().relayout(this.stage, { 'scene.camera': camera });
  }

  async save(kind) {
    if (!this.data) return;
    const { name } = this.data;
    try {
      if (kind === 'png') await savePng(this.stage, `${name.replace(/\.[^.]*$/, '')}-3d`);
      else await savePage(this.plotlyUrl, { ...this.scene(), title: name, ink: getComputedStyle(this.host).color });
    } catch (error) {
      showMessage(error.message);
    }
  }
}

/** Buttons of which one is pressed at a time, or that each do something. */
function choices(name, values, text, choose) {
  const box = element(`<div class="sg-group" role="group" data-aria="${name}"></div>`);
  for (const value of values) {
    const button = element(`<button type="button" class="sg-tool sg-choice" data-choice="${value}"></button>`);
    button.textContent = text(value);
    button.addEventListener('click', () => choose(value));
    box.append(button);
  }
  return box;
}
