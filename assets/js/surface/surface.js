// The sound as a landscape to turn: Plotly's surface, drawn by the plotly.min.js that the Python package carries.

import { request, latestOnly } from '../core/rpc.js';
import { emit, audio, events, onPlayhead, showMessage, seek, state } from '../core/state.js';
import { decodeBase64, element } from '../lib/dom.js';
import { tForPointer, messagesReady, t } from '../lib/i18n.js';
import { NAMES } from '../lib/colormaps.js';
import { changeDisplay, display } from '../core/display_settings.js';
import { fullScreen } from '../viewer/fullscreen.js';
import { help } from '../viewer/shortcuts_dialog.js';
import { KEYS, wireKeys } from '../viewer/shortcuts.js';
import { savePage, savePicture } from './save.js';
import { CAMERAS, LIGHTS, sceneLayout, surfaceTrace } from './scene.js';
import { addLink } from '../viewer/permalink.js';
import { menu } from '../widgets/menu.js';
import { minimap } from '../viewer/minimap.js';
import { addToMore } from '../widgets/overflow_menu.js';
import { parameterPanel } from '../viewer/parameter_panel.js';
import { waveIcon } from '../lib/thumbnails.js';
import { SurfaceHead } from './playhead.js';

const COLUMNS = 320; // more can't be told apart on a turning surface
const NARROW = 600; // CSS pixels: a phone
const FLIGHT_MS = 500; // from one point of view to another
const TURN = Math.PI / 18; // a press of a key
const STILL = 5; // CSS pixels: a press that moves less is a click

const CONFIG = { responsive: true, displaylogo: false, displayModeBar: false };
const SKELETON = `
  <div class="sg-stage">
    <div class="sg-toolbar" role="group"></div>
    <output class="sg-readout"></output>
    <div class="sg-plot" tabindex="0" role="application">
      <div class="sg-surface"></div>
      <div class="sg-empty"><p class="sg-strong"></p><p class="sg-small"></p></div>
      <p class="sg-drawing" hidden></p>
    </div>
    <section class="sg-together"></section>
  </div>
  <aside class="sg-side"></aside>`;
const DISPLAY = `
  <label><span></span><select class="sg-colours"></select></label>
  <label><span></span><select class="sg-light"></select></label>
  <label><span></span><input type="range" class="sg-height" min="0.1" max="1.2" step="0.05"></label>`;

let plotly = null;
function loadPlotly(url) {
  plotly ??= new Promise((resolve, reject) => {
    const script = document.createElement('script');
    script.src = url;
    script.onload = () => resolve(window.Plotly);
    script.onerror = () => { plotly = null; reject(new Error(t('page.offline'))); };
    document.head.append(script);
  });
  return plotly;
}

export async function mount(root, { server, props, files }) {
  await messagesReady;
  const host = root.querySelector('.sg-viewer');
  host.viewer = new Surface(host, server, props, files + props.plotly);
}

class Surface {
  static pointer = [
    ['surface.gesture_drag', 'surface.gesture_turn'], ['viewer_toolbar.gesture_wheel', 'surface.gesture_closer'], ['surface.gesture_right_drag', 'surface.gesture_shift'],
    ['viewer_toolbar.gesture_click', 'viewer_toolbar.gesture_seek'], ['viewer_toolbar.gesture_pinch', 'surface.gesture_closer'],
  ];

  constructor(host, server, props, plotlyUrl) {
    const find = (selector) => host.querySelector(selector);
    host.dataset.view = 'surface';
    host.innerHTML = SKELETON;
    [this.host, this.server, this.plotlyUrl] = [host, server, plotlyUrl];
    [this.plot, this.stage, this.readout] = [find('.sg-plot'), find('.sg-surface'), find('.sg-readout')];
    this.plot.after(minimap());
    this.toolbar = find('.sg-toolbar');
    this.head = new SurfaceHead(find('.sg-plot'));
    this.look = { of: 'mel', light: 'soft', height: 0.5 };
    this.camera = this.fitted(CAMERAS.corner);
    this.data = null;
    this.hovered = null; // the time under the pointer
    this.drawings = 0; // counted for tests
    this.stale = false; // whether a drawing was asked for while nobody could see it
    this.request = latestOnly(() => this.load());
    this.words();
    this.tools();
    this.panel = parameterPanel(find('.sg-side'), find('.sg-together'), props.parameters, 'surface', () => this.refresh());
    this.wire();
    this.refresh();
  }

  words() {
    const find = (selector) => this.host.querySelector(selector);
    find('.sg-empty').prepend(waveIcon());
    find('.sg-empty .sg-strong').textContent = t('surface.empty');
    find('.sg-empty .sg-small').textContent = tForPointer('viewer.empty_hint');
    find('.sg-drawing').textContent = t('surface.drawing');
    this.readout.textContent = tForPointer('surface.hint');
    this.plot.setAttribute('aria-label', `${t('page.tab_surface')}. ${t('surface.label')}`);
    this.toolbar.setAttribute('aria-label', t('viewer_toolbar.toolbar'));
  }

  tools() {
    const of = choices('surface.source', ['mel', 'stft'], (name) => t(`surface.source_${name}`), (name) => this.showOf(name));
    const cameras = choices('surface.cameras', Object.keys(CAMERAS), (name) => t(`surface.camera_${name}`), (name) => this.fly(CAMERAS[name]));
    for (const button of cameras.children) button.dataset.camera = button.dataset.choice;
    this.ofButtons = [...of.children];
    this.toolbar.append(of, cameras, this.displayMenu());
    this.mark();
    this.ownKeys = {
      ...fullScreen(this),
      a: { word: 'surface.turn_left', group: 'display', run: () => this.turn(-TURN, 0) },
      d: { word: 'surface.turn_right', group: 'display', run: () => this.turn(TURN, 0) },
      w: { word: 'surface.turn_up', group: 'display', run: () => this.turn(0, TURN) },
      s: { word: 'surface.turn_down', group: 'display', run: () => this.turn(0, -TURN) },
      q: { word: 'surface.come_closer', group: 'display', run: () => this.turn(0, 0, 1 / 1.15) },
      e: { word: 'surface.step_back', group: 'display', run: () => this.turn(0, 0, 1.15) },
    };
    addToMore(this, 'picture', 'surface.save_png', '', () => this.save('png'));
    addToMore(this, 'page', 'surface.save_html', '', () => this.save('html'));
    addLink(this);
    Object.assign(this.ownKeys, help(this));
  }

  displayMenu() {
    const { root, panel } = menu('display', 'viewer_toolbar.display', { text: true });
    root.classList.add('sg-right');
    panel.innerHTML = DISPLAY;
    const find = (selector) => panel.querySelector(selector);
    const labels = panel.querySelectorAll('label span');
    ['viewer_toolbar.colours', 'surface.light', 'surface.height'].forEach((key, i) => { labels[i].textContent = t(key); });
    for (const name of NAMES) find('.sg-colours').append(new Option(t(`viewer_toolbar.colours_${name}`), name));
    for (const name of Object.keys(LIGHTS)) find('.sg-light').append(new Option(t(`surface.light_${name}`), name));
    find('.sg-height').value = this.look.height;
    find('.sg-colours').addEventListener('change', ({ target }) => changeDisplay({ colours: target.value }));
    find('.sg-light').addEventListener('change', ({ target }) => { this.look.light = target.value; this.draw(); });
    find('.sg-height').addEventListener('input', ({ target }) => { this.look.height = Number(target.value); this.draw(); });
    const follow = () => { find('.sg-colours').value = display.colours; };
    events.addEventListener('display', follow);
    follow();
    return root;
  }

  wire() {
    for (const name of ['sound', 'visible']) events.addEventListener(name, () => this.refresh());
    events.addEventListener('display', () => this.draw());
    new ResizeObserver(() => this.refresh()).observe(this.plot);
    new MutationObserver(() => this.draw()).observe(document.body, { attributes: true, attributeFilter: ['class'] });
    onPlayhead((now) => this.moveHead(now));
    wireKeys(this);
    let pressed = null;
    this.plot.addEventListener('pointerdown', (event) => {
      this.flight = null; // a hand on it ends a flight
      pressed = event.button ? null : { x: event.clientX, y: event.clientY, time: this.hovered };
    }, true);
    this.plot.addEventListener('pointerup', ({ clientX, clientY }) => {
      const still = pressed && Math.hypot(clientX - pressed.x, clientY - pressed.y) < STILL;
      if (still && pressed.time !== null) seek(pressed.time);
      pressed = null;
    }, true);
  }

  keys() {
    return { ...KEYS, ...this.ownKeys };
  }

  redraw() {
    if (this.data && this.visible()) window.Plotly.Plots.resize(this.stage);
  }

  visible() {
    return this.plot.offsetParent !== null;
  }

  /** Ask for the stretch that the other views show, if this one is on screen. */
  refresh() {
    if (!this.visible()) return;
    this.deep ??= hasWebgl();
    if (!this.deep) this.flat();
    else if (state.sound) this.request();
  }

  /** Say why nothing stands up here, in place of Plotly's grey box. */
  flat() {
    const find = (selector) => this.host.querySelector(selector);
    find('.sg-empty .sg-strong').textContent = t('surface.no_webgl');
    find('.sg-empty .sg-small').textContent = t('surface.no_webgl_hint');
    this.toolbar.hidden = this.readout.hidden = true;
  }

  showOf(name) {
    this.look.of = this.panel.of = name;
    this.mark();
    this.refresh();
  }

  mark() {
    for (const button of this.ofButtons) button.setAttribute('aria-pressed', String(button.dataset.choice === this.look.of));
  }

  async load() {
    const { id, name, seconds } = state.sound;
    const { start, end } = state.visible;
    const { of } = this.look;
    const query = { sound: id, config: this.panel.values(), start, end: Math.min(seconds, end), columns: COLUMNS, of };
    const key = JSON.stringify(query);
    if (key === this.loaded) {
      this.panel.accepted(this.data);
      if (this.stale) await this.draw();
      else this.moveHead(audio.currentTime);
      return;
    }
    const late = setTimeout(() => this.busy(true), 250);
    try {
      const [answer] = await Promise.all([request(this.server.surface_view, query), loadPlotly(this.plotlyUrl)]);
      if (state.sound.id !== id) return;
      this.loaded = key;
      this.data = { ...answer, levels: decodeBase64(answer.levels), of, name, request: query };
      this.panel.accepted(answer);
      await this.draw();
    } catch (refusal) {
      if (state.sound.id !== id) return;
      if (this.data?.request.sound !== id) this.clear();
      if (refusal.key?.startsWith('parameter.')) this.panel.refused(refusal);
      else showMessage(refusal.message);
    } finally {
      clearTimeout(late);
      this.busy(false);
    }
  }

  busy(on) {
    this.host.toggleAttribute('data-busy', on);
    this.host.querySelector('.sg-drawing').hidden = !on;
  }

  /** Take away the landscape of a sound that is no longer open. */
  clear() {
    this.data = this.loaded = null;
    this.host.removeAttribute('data-filled');
    if (this.drawings) this.head.draw(null);
  }

  async draw() {
    this.stale = !this.visible();
    if (!this.data || this.stale) return;
    this.host.toggleAttribute('data-filled', true);
    await window.Plotly.react(this.stage, this.traces(), this.layout(), CONFIG);
    if (!this.drawings) this.listen();
    this.drawings += 1;
    this.head.follow(this.stage, () => this.moveHead(audio.currentTime));
    this.moveHead(audio.currentTime);
    emit('surface');
  }

  traces() {
    return [surfaceTrace(this.data, this.look.light, !this.narrow())];
  }

  layout() {
    const style = getComputedStyle(this.host);
    const [ink, line] = [style.color, style.getPropertyValue('--sg-line').trim()];
    return sceneLayout(this.data, {
      height: this.look.height, camera: this.camera, ink, line, family: style.fontFamily, narrow: this.narrow(),
    });
  }

  listen() {
    // Plotly keeps by itself only what was turned by hand, so every turn is remembered here
    this.stage.on('plotly_relayout', (moved) => { this.camera = moved['scene.camera'] ?? this.camera; });
    this.stage.on('plotly_hover', ({ points: [point] }) => { this.hovered = point.x; });
    this.stage.on('plotly_unhover', () => { this.hovered = null; });
  }

  narrow() {
    return this.plot.clientWidth > 0 && this.plot.clientWidth < NARROW;
  }

  /** A camera from further off where the picture is narrow, so that all of the surface is in it. */
  fitted({ eye, up, center }) {
    const away = this.narrow() ? 1.5 : 1;
    return { eye: { x: eye.x * away, y: eye.y * away, z: eye.z * away }, up, center };
  }

  /** Put the plane and the profile where the sound is, without touching the landscape. */
  moveHead(now) {
    if (!this.drawings || !this.data || !this.visible()) return;
    this.head.draw(this.data, now, getComputedStyle(this.host).getPropertyValue('--sg-accent').trim());
  }

  /** Move the camera to another point of view; at once for those who asked for less motion. */
  fly(camera) {
    if (!this.data) return;
    const [from, to] = [this.camera, this.fitted(camera)];
    const begun = performance.now();
    const flight = {};
    this.flight = flight;
    const mixed = (a, b, share) => ({ x: a.x + (b.x - a.x) * share, y: a.y + (b.y - a.y) * share, z: a.z + (b.z - a.z) * share });
    const step = (now) => {
      if (this.flight !== flight) return;
      const calm = window.matchMedia('(prefers-reduced-motion: reduce)').matches;
      const gone = calm ? 1 : Math.min(1, Math.max(0, (now - begun) / FLIGHT_MS));
      const share = gone * gone * (3 - 2 * gone);
      this.lookFrom({ eye: mixed(from.eye, to.eye, share), up: to.up, center: mixed(from.center, to.center, share) });
      if (gone < 1) requestAnimationFrame(step);
    };
    requestAnimationFrame(step);
  }

  /** Turn around the vertical, look from higher or lower (radians), come closer by a factor. */
  turn(around, up, factor = 1) {
    if (!this.data) return;
    const { x, y, z } = this.camera.eye;
    const distance = Math.hypot(x, y, z) * factor;
    const angle = Math.atan2(y, x) + around;
    const height = Math.min(1.5, Math.max(-0.2, Math.asin(z / Math.hypot(x, y, z)) + up));
    const eye = { x: distance * Math.cos(height) * Math.cos(angle), y: distance * Math.cos(height) * Math.sin(angle), z: distance * Math.sin(height) };
    this.lookFrom({ ...this.camera, eye });
  }

  lookFrom(camera) {
    this.camera = camera;
    return window.Plotly.relayout(this.stage, { 'scene.camera': camera });
  }

  async save(kind) {
    if (!this.data) return;
    const { name } = this.data;
    try {
      if (kind === 'png') await savePicture(this.stage, `${name.replace(/\.[^.]*$/, '')}-3d`);
      else {
        const [ink, ground] = [getComputedStyle(this.host).color, getComputedStyle(document.body).backgroundColor];
        await savePage(this.plotlyUrl, { traces: this.traces(), layout: this.layout(), title: name, ink, ground });
      }
    } catch (error) {
      showMessage(error.message);
    }
  }
}

function hasWebgl() {
  const context = document.createElement('canvas').getContext('webgl');
  context?.getExtension('WEBGL_lose_context')?.loseContext(); // a page may have few of them
  return Boolean(context);
}

/** Buttons of which one is pressed at a time, or that each do something. */
function choices(name, values, text, choose) {
  const box = element('<div class="sg-group" role="group"></div>');
  box.setAttribute('aria-label', t(name));
  for (const value of values) {
    const button = element('<button type="button" class="sg-tool sg-choice"></button>');
    button.dataset.choice = value;
    button.textContent = text(value);
    button.addEventListener('click', () => choose(value));
    box.append(button);
  }
  return box;
}
