// 2D viewer of a sound. plot.js draws, gestures.js and shortcuts.js take input, readout.js describes the point under the
// pointer. Colours, level range and frequency axis are applied in the browser, without a request.
//
// Plugins: a module calls `extend((viewer) => hooks)` and is imported in plugins.js. The function is called once for each
// 2D viewer (`viewer.view`: mel, stft, mfcc, wave), also for those built before, and returns any of these hooks:
//   image(context)     draw on the image, clipped to the plot; called whenever the image is redrawn
//   overlay(context)   draw above it, clipped to the plot; called on each frame while playing and as the pointer moves
//   click(at)          a click on the plot at {x, y}, after it has moved the play head
//   point(at)          the pointer is at {x, y, time, hz} (hz: null without a frequency axis) inside the plot, or null
//   loaded(data)       new data have come from the server
//   reading(time)      text to add to the readout
//   keys               { l: shortcut('playback.key_loop', 'sound', run) }: while the focus is in the viewer, named as by
//                      `combination` in shortcuts.js
// Elements go into `viewer.toolbar`, `viewer.below` (rows under the plot, as wide as its time axis), `viewer.beside`
// (columns to its right, as high as its vertical axis) and `viewer.under` (below the rows, full width). Listeners take
// `viewer.signal`, which ends them with the viewer. Plot coordinates are CSS pixels: `viewer.area()`, `xOf(time)`,
// `timeAt(x)`, `inside(at)`; with a frequency axis (`viewer.pitched`) and data (`viewer.current()`) also `yOf(hz)` and
// `hzAt(y)`. `viewer.redraw()` draws everything, `viewer.drawOverlay()` the overlay alone, before the next frame.

import { audio, onPlayhead, show, state } from '../core/state.js';
import { decodeBase64, onResize, onThemeChange } from '../lib/dom.js';
import { pixelRatio } from '../lib/canvas_axes.js';
import { formatNumber, t, tForPointer } from '../lib/i18n.js';
import { hzToMel } from '../lib/frequency_axis.js';
import { wirePointer } from './gestures.js';
import { KEYS, wireKeys } from './shortcuts.js';
import { Plot } from './plot.js';
import { readPointer } from './readout.js';

const plugins = [];
const viewers = new Set();

/** Add a plugin to all viewers, present and future; see the top of this module.
 * @param {(viewer: any) => (Record<string, any> | void)} plugin
 */
export function extend(plugin) {
  plugins.push(plugin);
  for (const viewer of viewers) viewer.adopt(plugin);
}

/** Mel spectrogram; views.js has the other views. */
export class Viewer extends Plot {
  static view = 'mel';
  static axes = ['mel', 'linear', 'log', 'bark'];

  pressed = new Map(); // positions of the pointers that press the plot

  constructor(host, server, parameters) {
    super(host, server, parameters);
    for (const plugin of plugins) this.adopt(plugin);
    viewers.add(this);
    this.wire();
    this.redraw();
    this.refresh(); // a tab may be opened after the sound
  }

  destroy() {
    viewers.delete(this);
    super.destroy();
  }

  adopt(plugin) {
    this.hooks.push(plugin(this) ?? {});
    if (this.data) this.redraw();
  }

  /** Shortcuts of the viewer and its plugins. */
  keys() {
    return Object.assign({}, KEYS, ...this.hooks.map((hooks) => hooks.keys));
  }

  showTexts() {
    super.showTexts();
    this.plot.setAttribute('aria-label', `${t(`page.tab_${this.view}`)}. ${t('viewer.viewer_label')}`);
    this.readout.textContent = tForPointer('viewer.point_at');
  }

  wire() {
    this.onState('sound', () => this.refresh());
    this.onState('visible display', () => {
      this.redraw();
      this.read();
    });
    this.onState('visible', () => {
      this.headInside = this.inWindow(audio.currentTime);
      this.refresh();
    });
    audio.addEventListener('play', () => {
      const { start, end } = state.visible;
      const now = audio.currentTime;
      if (this.onScreen && !this.inWindow(now)) show(now, now + end - start, { follow: true });
    }, { signal: this.signal });
    onResize(this.plot, () => { this.redraw(); this.refresh(); }, this.signal);
    onThemeChange(() => this.redraw(), this.signal);
    onPlayhead((now) => this.follow(now), this.signal);
    wirePointer(this);
    wireKeys(this);
  }

  query() {
    const columns = Math.max(1, Math.min(2000, Math.round(this.area().width * pixelRatio())));
    const query = { ...super.query(), columns };
    const more = this.overhang(query.config);
    return { ...query, start: Math.max(0, query.start - more), end: Math.min(state.sound.seconds, query.end + more) };
  }

  /** Seconds to request beyond both ends: one frame, so that the image reaches the plot's edges. */
  overhang({ hop_length: hop, sample_rate: rate }) {
    return hop / rate;
  }

  accept(answer, query) {
    this.data = { ...answer, ...this.decode(answer), request: query };
    this.redraw();
    this.call('loaded', this.data);
  }

  /** @returns {any} the arrays of an answer */
  decode(answer) {
    return { levels: decodeBase64(answer.levels) };
  }

  clear() {
    super.clear();
    this.redraw();
  }

  /** The pointer moved to {x, y} in the plot, or left it (null). */
  point(at) {
    this.pointer = at;
    this.read();
    const within = at && this.current() && this.inside(at);
    this.call('point', within ? { ...at, time: this.timeAt(at.x), hz: this.pitched ? this.hzAt(at.y) : null } : null);
  }

  read() {
    this.drawOverlay();
    readPointer(this);
  }

  /** Texts of the plugins for a time. */
  readings(time) {
    return this.hooks.map((hooks) => hooks.reading?.(time)).filter(Boolean);
  }

  /** @returns {any} the vertical position of the pointer, as the server takes it */
  position(share, row) {
    return { band: row };
  }

  /** Text for the point under the pointer, without the time. */
  reading(share, row, value) {
    const hz = this.axis().hz(share);
    return `${formatNumber(hz)} ${t('page.unit_hz')} · ${formatNumber(hzToMel(hz, this.data.mel_scale), 1)} mel · ` +
      `${value} ${this.levelUnit()}`;
  }
}
