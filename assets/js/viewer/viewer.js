// 2D viewer of a sound. plot.js draws, gestures.js and shortcuts.js take input. Colours, level range and frequency axis are
// applied in the browser, without a request.
//
// A plugin is a function of the viewer, listed in plugins.js, that may return any of these hooks:
//   image(context)     draw on the image, clipped to the plot; called whenever the image is redrawn
//   overlay(context)   draw above it, clipped to the plot; called on each frame while playing and as the pointer moves
//   click(at)          a click on the plot at {x, y}, after it has moved the playhead
//   point(at)          the pointer is at {x, y, time, hz} (hz: null without a frequency axis) inside the plot, or null
//   loaded()           new data have come from the server
//   reading(time)      text to add to the readout
//   keys               { l: shortcut('playback.key_loop', 'sound', run) }, named as by `combination` in shortcuts.js
// Elements go into `viewer.toolbar`, `viewer.above` and `viewer.below` (rows above and under the plot, as wide as its time
// axis), `viewer.right` (columns to its right, as high as its vertical axis) and `viewer.under` (below the rows, full width).
// Listeners take `viewer.signal`. Coordinates are CSS pixels of the plot; `yOf` and `hzAt` need `viewer.pitched` and `viewer.current()`.

import { request } from '../core/rpc.js';
import { display } from '../core/display_settings.js';
import { audio, onPlayhead, state } from '../core/state.js';
import { decodeBase64, onResize, onThemeChange } from '../lib/dom.js';
import { pixelRatio } from '../lib/canvas_axes.js';
import { formatNumber, t } from '../lib/i18n.js';
import { wirePointer } from './gestures.js';
import { KEYS, wireKeys } from './shortcuts.js';
import { Plot, columnAt, partOf } from './plot.js';
import { PLUGINS } from './plugins.js';
import { rovingFocus } from '../widgets/roving_focus.js';

const REST_MS = 90; // without a move: request the exact level

/** A request without its times and columns. */
const withoutTimes = ({ start, end, columns, ...rest }) => JSON.stringify(rest);

/** A viewer with the plugins; views.js has one class a view. */
export class Viewer extends Plot {
  static label = 'viewer.viewer_label';
  static plugins = PLUGINS;

  pressed = new Map(); // positions of the pointers that press the plot
  restTimer = 0; // of the readout
  built = false;
  spectrogram = null; // the server's data, also while a feature is drawn in their place

  constructor(host, server, spec) {
    super(host, server, spec);
    this.hooks = /** @type {typeof Viewer} */ (this.constructor).plugins.map((plugin) => plugin(this) ?? {});
    rovingFocus(this.toolbar, this.signal);
    this.built = true;
    this.wire(); // it is drawn once it is laid out
    this.refresh(); // a tab may be opened after the sound
  }

  destroy() {
    clearTimeout(this.restTimer);
    cancelAnimationFrame(this.overlayFrame);
    super.destroy();
  }

  /** As above, and not before all plugins are there: each would lay out the page anew to look, and looks when it is laid out. */
  get onScreen() {
    return this.built && super.onScreen;
  }

  keys() {
    return Object.assign({}, KEYS, ...this.hooks.map((hooks) => hooks.keys));
  }

  wire() {
    this.onState('sound', () => this.refresh());
    this.onState('visible display', () => this.update());
    this.onState('visible', () => {
      this.headInside = this.inWindow(audio.currentTime);
      this.refresh();
    });
    this.on(audio, 'play', () => { if (this.onScreen && !this.inWindow(audio.currentTime)) this.turnPage(audio.currentTime); });
    onResize(this.plot, () => { this.redraw(); this.refresh(); }, this.signal);
    onThemeChange(() => this.redraw(), this.signal);
    onPlayhead((now) => this.follow(now), this.signal);
    wirePointer(this);
    wireKeys(this);
  }

  query() {
    const columns = Math.max(1, Math.min(2000, Math.round(this.area().width * pixelRatio())));
    const query = { ...super.query(), columns };
    const more = this.overhang(/** @type {any} */ (query.config));
    return { ...query, start: Math.max(0, query.start - more), end: Math.min(state.sound.seconds, query.end + more) };
  }

  has(query) {
    return super.has(query) || (Boolean(this.loaded) && this.covers(query));
  }

  /** Whether all frames of a request are loaded, each with a column of its own. */
  covers(query) {
    const { columns, request: loaded } = this.spectrogram;
    const inside = loaded.start <= query.start && query.end <= loaded.end;
    return inside && columns < loaded.columns && partOf(this.spectrogram, state.visible).columns <= query.columns
      && withoutTimes(query) === withoutTimes(loaded);
  }

  /** Seconds to request beyond both ends: one frame, so that the image reaches the plot's edges. */
  overhang({ hop_length: hop, sample_rate: rate }) {
    return hop / rate;
  }

  /** What of the display an export has. */
  exported() {
    const figure = { colours: display.colours };
    if (!this.pitched || !this.current()) return { figure };
    const [low, high] = this.range();
    const band = state.frequencyRange ?? { low_hz: null, high_hz: null };
    return { figure: { ...figure, low, high, axis: this.axisKind(), ...band } };
  }

  accept(answer, query) {
    this.data = this.spectrogram = { ...answer, ...this.decode(answer), request: query };
    this.update();
    this.call('loaded');
  }

  /** @returns {any} the arrays of an answer */
  decode(answer) {
    return { levels: decodeBase64(answer.levels) };
  }

  clear() {
    super.clear();
    this.update();
  }

  /** Redraw, and describe what is under the pointer now. */
  update() {
    this.point(this.pointer);
    this.redraw();
  }

  /** The pointer moved to {x, y} in the plot, or left it (null). */
  point(at) {
    this.pointer = at;
    this.drawOverlay();
    const within = at && this.current() && this.inside(at);
    this.read(within ? at : null);
    this.call('point', within ? { ...at, time: this.timeAt(at.x), hz: this.pitched ? this.hzAt(at.y) : null } : null);
  }

  /** Write what is at {x, y} into the readout; null: nothing is pointed at. */
  read(at) {
    clearTimeout(this.restTimer);
    this.restTimer = 0;
    if (at) this.readLevel(at);
    else this.readout.textContent = this.hint;
  }

  /** Write a level: at once from the image, exact from the server once the pointer rests. */
  readLevel({ x, y }) {
    const { data: { columns, levels, low_db: floor, high_db: ceiling, feature, request: { sound, config } } } = this;
    const { top, height } = this.area();
    const time = Math.max(0, this.timeAt(x));
    const share = 1 - (y - top) / height;
    const row = this.rowFinder()(share);
    const write = (value, digits) => {
      const clipped = value <= floor + 1e-3 && this.pitched ? '≤ ' : '';
      const text = this.reading(share, row, clipped + formatNumber(value, digits));
      const more = this.hooks.map((hooks) => hooks.reading?.(time)).filter(Boolean);
      this.readout.textContent = [`${formatNumber(time, 3)} ${t('page.unit_s')}`, text, ...more].join(' · ');
    };
    write(floor + (levels[row * columns + columnAt(this.data, time)] / 255) * (ceiling - floor), 0);
    if (feature) return; // the exact level would be the spectrogram's
    const timer = this.restTimer = setTimeout(async () => {
      try { // with the image's parameters: the panel may be ahead
        const query = { sound, config, time, view: this.view, ...this.position(share, row) };
        const { value } = await request(this.server.level, query);
        if (this.restTimer === timer) write(value, 2);
      } catch (error) {
        console.info(error.message); // the rounded level stays
      }
    }, REST_MS);
  }

  /** @returns {object} the vertical position of the pointer, as the server takes it */
  position(share, row) {
    return { band: row };
  }

  /** Text for the point under the pointer, without the time. */
  reading(share, row, value) {
    return value;
  }
}
