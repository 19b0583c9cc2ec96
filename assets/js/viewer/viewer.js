// The viewer of a sound: a plot with axes, a readout, play head and time window that all views share. Colours, level
// range and the frequency axis are drawn here from the levels at hand, without asking the server. Its rooms: plot.js
// paints, gestures.js is the hand and keys.js the keys, readout.js says what lies under the pointer.
//
// Extensions: a module calls `extend((viewer) => hooks)` and is named in extensions.js; viewer.js stays as it is. The
// function is called once for each 2D viewer (`viewer.constructor.view`: mel, stft, mfcc, wave), also for those built
// before, and returns any of these hooks, or nothing:
//   picture(context)   draw on the picture, clipped to the plot; called whenever the picture is drawn anew
//   overlay(context)   draw above it, clipped to the plot; called each frame while it plays, and as the pointer moves
//   grab(at, event)    a press on the plot at {x, y}: return {move(at, event), drop(at, event), cancel()} to take the
//                      drag for yourself, or nothing to leave it to others
//   point(at)          the pointer is at {x, y, time, hz} (hz: null without a frequency axis) inside the plot, or null
//   loaded(data)       a new picture has come from the server
//   reading(time)      words to add to the readout
//   keys               { l: { word: 'playback.key_loop', run(event) } }: keys while the focus is in the viewer, named as
//                      `combination` in keys.js does; `word` is their line in the help sheet,
//                      in its `group` (tools, sound, shown, selection, display; else: rest)
// Places for elements of yours, appended in that function: `viewer.toolbar`, `viewer.below` (rows under the plot, as wide
// as its time axis), `viewer.beside` (columns at its right, as high as its vertical axis) and `viewer.under` (under the
// rows, full width). Plot coordinates are CSS pixels: `viewer.area()`, `xOf(time)`, `timeAt(x)`, `inside(at)`; with a
// frequency axis (`viewer.pitched`) and a picture (`viewer.current()`) also `yOf(hz)`, `hzAt(y)`. `viewer.redraw()`
// draws all, `viewer.drawOverlay()` only what lies above the picture, before the next frame.

import { request, latestOnly } from '../core/rpc.js';
import { audio, events, onPlayhead, showMessage, show, state } from '../core/state.js';
import { decodeBase64 } from '../lib/dom.js';
import { tForPointer, formatNumber, t } from '../lib/i18n.js';
import { hzToMel } from '../lib/frequency_axis.js';
import { wirePointer } from './gestures.js';
import { KEYS, wireKeys } from './shortcuts.js';
import { parameterPanel } from './parameter_panel.js';
import { MARGIN, Plot } from './plot.js';
import { readPointer } from './readout.js';
import { waveIcon } from '../lib/thumbnails.js';

const SKELETON = `
  <div class="sg-stage">
    <div class="sg-toolbar" role="group"></div>
    <output class="sg-readout"></output>
    <div class="sg-frame">
      <div class="sg-plot" tabindex="0" role="application">
        <canvas class="sg-picture"></canvas><canvas class="sg-overlay"></canvas>
        <div class="sg-empty"><p class="sg-strong"></p><p class="sg-small"></p></div>
      </div>
      <div class="sg-beside"></div>
      <div class="sg-below"></div>
    </div>
    <div class="sg-under"></div>
    <section class="sg-together"></section>
  </div>
  <aside class="sg-side"></aside>`;

const extensions = [];
const viewers = [];

/** Give every viewer, built or still to come, what `fn(viewer)` makes of it; see the top of this module. */
export function extend(fn) {
  extensions.push(fn);
  for (const viewer of viewers) viewer.adopt(fn);
}

/** The mel view, and what the other views have in common with it; see views.js for those. */
export class Viewer extends Plot {
  static view = 'mel';
  static axes = ['mel', 'linear', 'log', 'bark'];

  constructor(host, server, parameters) {
    super();
    host.innerHTML = SKELETON;
    host.dataset.view = this.constructor.view;
    for (const [edge, pixels] of Object.entries(MARGIN)) host.style.setProperty(`--sg-${edge}`, `${pixels}px`);
    const find = (selector) => host.querySelector(selector);
    this.host = host;
    this.server = server;
    [this.plot, this.picture, this.overlay] = [find('.sg-plot'), find('.sg-picture'), find('.sg-overlay')];
    [this.toolbar, this.readout] = [find('.sg-toolbar'), find('.sg-readout')];
    [this.below, this.beside, this.under] = [find('.sg-below'), find('.sg-beside'), find('.sg-under')];
    this.data = null;
    this.pointer = null;
    this.fingers = new Map(); // those that press the plot, by pointer: where they are
    this.drawings = 0; // counted for tests and the benchmark
    this.hooks = [];
    this.request = latestOnly(() => this.load());
    this.words();
    this.panel = parameterPanel(
      find('.sg-side'), find('.sg-together'), parameters, this.constructor.view, () => this.refresh(),
    );
    for (const fn of extensions) this.adopt(fn);
    viewers.push(this);
    this.wire();
    this.redraw();
    this.refresh(); // a tab that is opened late finds its sound open
  }

  adopt(fn) {
    this.hooks.push(fn(this) ?? {});
    if (this.data) this.redraw();
  }

  /** Call a hook of all extensions. */
  call(name, ...values) {
    for (const hooks of this.hooks) hooks[name]?.(...values);
  }

  /** What an extension makes of a press on the plot, if one takes it. */
  grab(at, event) {
    for (const hooks of this.hooks) {
      const grabbed = hooks.grab?.(at, event);
      if (grabbed) return grabbed;
    }
    return null;
  }

  /** The viewer's own keys and those of its extensions. */
  keys() {
    return Object.assign({}, KEYS, ...this.hooks.map((hooks) => hooks.keys));
  }

  /** Whether a finger or the mouse presses the plot. */
  get held() {
    return this.fingers.size > 0;
  }

  /** Whether the vertical axis is one of frequency. */
  get pitched() {
    return this.constructor.axes.length > 0;
  }

  words() {
    const find = (selector) => this.host.querySelector(selector);
    this.plot.setAttribute('aria-label', `${t(`page.tab_${this.constructor.view}`)}. ${t('viewer.viewer_label')}`);
    find('.sg-empty').prepend(waveIcon());
    find('.sg-empty .sg-strong').textContent = t(`viewer.empty_${this.constructor.view}`);
    find('.sg-empty .sg-small').textContent = tForPointer('viewer.empty_hint');
    this.readout.textContent = tForPointer('viewer.point_at');
    this.toolbar.setAttribute('aria-label', t('viewer_toolbar.toolbar'));
  }

  wire() {
    events.addEventListener('sound', () => { this.refresh(); });
    events.addEventListener('visible', () => {
      this.headInside = this.inWindow(audio.currentTime);
      this.redraw();
      this.read();
      this.refresh();
    });
    events.addEventListener('display', () => {
      this.redraw();
      this.read();
    });
    audio.addEventListener('play', () => {
      const { start, end } = state.visible;
      const now = audio.currentTime;
      if (this.visible() && !this.inWindow(now)) show(now, now + end - start, { follow: true });
    });
    new ResizeObserver(() => { this.redraw(); this.refresh(); }).observe(this.plot);
    onPlayhead((now) => this.follow(now));
    wirePointer(this);
    wireKeys(this);
    new MutationObserver(() => this.redraw()).observe(document.body, { attributes: true, attributeFilter: ['class'] });
  }

  /** Ask for what is on screen, if this view is; the newest request wins. */
  refresh() {
    if (state.sound && this.visible()) this.request();
  }

  async load() {
    const { id, seconds } = state.sound;
    const { start, end } = state.visible;
    const columns = Math.max(1, Math.min(2000, Math.round(this.area().width * this.ratio())));
    const asked = this.panel.asked();
    const more = this.overhang(asked.config);
    const query = { sound: id, ...asked, start: Math.max(0, start - more), end: Math.min(seconds, end + more), columns };
    const key = JSON.stringify(query);
    if (key === this.asked) { // back at what is on screen, perhaps from something impossible
      this.panel.accepted(this.data);
      return;
    }
    const late = setTimeout(() => this.host.toggleAttribute('data-busy', true), 250);
    try {
      const answer = await request(this.server[`${this.constructor.view}_view`], query);
      if (state.sound.id !== id) return;
      this.asked = key;
      this.accept(answer, query);
      this.panel.accepted(answer);
      this.call('loaded', this.data);
    } catch (refusal) {
      if (state.sound.id !== id) return;
      if (refusal.key?.startsWith('parameter.')) this.panel.refused(refusal);
      else showMessage(refusal.message);
      if (!this.current()) { // no picture of this sound yet: better none than another sound's
        this.data = this.asked = null;
        this.redraw();
      }
    } finally {
      clearTimeout(late);
      this.host.removeAttribute('data-busy');
    }
  }

  /** Seconds to ask for beyond both ends: a frame, so that the picture reaches the plot's edges. */
  overhang({ hop_length: hop, sample_rate: rate }) {
    return hop / rate;
  }

  /** Whether the picture at hand is the open sound's. */
  current() {
    return Boolean(this.data) && this.data.request.sound === state.sound?.id;
  }

  accept(answer, query) {
    this.data = { ...answer, levels: decodeBase64(answer.levels), request: query };
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

  /** What extensions say of a time. */
  said(time) {
    return this.hooks.map((hooks) => hooks.reading?.(time)).filter(Boolean);
  }

  /** What tells the server where the pointer is, beside the time. */
  place(share, band) {
    return { band };
  }

  /** What lies under the pointer, beside the time, in words. */
  reading(share, band, value) {
    const hz = this.axis().hz(share);
    return `${formatNumber(hz)} ${t('page.unit_hz')} · ${formatNumber(hzToMel(hz, this.data.mel_scale), 1)} mel · ` +
      `${value} ${this.levelUnit()}`;
  }
}
