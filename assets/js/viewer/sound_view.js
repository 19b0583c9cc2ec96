// Base of the views of the open sound: elements, parameter panel, requests to the server and teardown.

import { request, latestOnly } from '../core/rpc.js';
import { events, showMessage, state } from '../core/state.js';
import { MARGIN, plotArea } from '../lib/canvas_axes.js';
import { Component } from '../lib/component.js';
import { t, tForPointer } from '../lib/i18n.js';
import { waveIcon } from '../lib/thumbnails.js';
import { ParameterPanel } from './parameter_panel.js';
import { queryOf } from './parameters.js';

const BUSY_MS = 250; // slower answers show that the view waits

const skeleton = (plot) => `
  <div class="sg-stage">
    <div class="sg-toolbar" role="group" data-aria="viewer_toolbar.toolbar"></div>
    <div class="sg-frame">
      <div class="sg-plot-above"></div>
      <output class="sg-readout"></output>
      ${plot}
      <div class="sg-plot-right"></div>
      <div class="sg-plot-below"></div>
      <div class="sg-notes">
        <div class="sg-refusal" role="alert" hidden><span></span><button type="button" class="sg-link"></button></div>
        <div class="sg-advice" role="status"></div>
      </div>
    </div>
    <div class="sg-under"></div>
    <section class="sg-derived"><h2 data-t="parameters.together"></h2><dl></dl></section>
  </div>
  <aside class="sg-side"></aside>`;

/** Markup of a view without a sound. */
export const EMPTY = '<div class="sg-empty"><p class="sg-strong"></p><p class="sg-small"></p></div>';

/** One view of the open sound. */
export class SoundView extends Component {
  static view = '';
  static label = ''; // message that describes the plot

  data = null; // what the server sent for the visible range
  loaded = null; // the request that it answers, as JSON
  load = latestOnly(() => this.loadNow());

  /** Fill `host`; `spec`: limits, choices and presets of the parameters, null for a view without a panel; `plot`: markup with
   *  a `.sg-plot`. */
  constructor(host, server, spec, plot) {
    super(host, skeleton(plot));
    host.dataset.view = this.view;
    for (const [edge, pixels] of Object.entries(MARGIN)) host.style.setProperty(`--sg-${edge}`, `${pixels}px`);
    this.server = server;
    this.plot = this.find('.sg-plot');
    this.toolbar = this.find('.sg-toolbar');
    this.readout = this.find('.sg-readout');
    this.above = this.find('.sg-plot-above');
    this.right = this.find('.sg-plot-right');
    this.below = this.find('.sg-plot-below');
    this.under = this.find('.sg-under');
    this.plot.setAttribute('aria-label', `${t(`page.tab_${this.view}`)}. ${t(/** @type {any} */ (this.constructor).label)}`);
    this.readout.textContent = this.hint;
    this.find('.sg-empty').prepend(waveIcon());
    this.showEmpty(t(`viewer.empty_${this.view}`), tForPointer('viewer.empty_hint'));
    this.panel = spec ? new ParameterPanel(this, spec) : this.withoutPanel();
    const showOpened = () => host.toggleAttribute('data-opened', Boolean(state.sound)); // else its tools can't do anything
    this.onState('sound', showOpened);
    showOpened();
  }

  get view() {
    return /** @type {typeof SoundView} */ (this.constructor).view;
  }

  /** Prefix of ids and names; a part of the page with a view of its own sets `data-owner`. */
  get owner() {
    return this.host.dataset.owner ?? this.view;
  }

  /** The readout while nothing is pointed at. */
  get hint() {
    return tForPointer('viewer.point_at');
  }

  /** Listen to events of the shared state, named with spaces between, for as long as the view exists. */
  onState(names, listener) {
    this.on(events, names, listener);
  }

  /** What stands for the panel in a view without one: it has the parameters of all views.
   * @returns {any}
   */
  withoutPanel() {
    const said = (refused) => this.host.toggleAttribute('data-refused', refused);
    const refused = ({ message }) => {
      this.clear();
      this.showEmpty(message, '');
      said(true);
    };
    return { query: () => queryOf(this.view), accepted: () => said(false), refused };
  }

  showEmpty(title, hint) {
    this.find('.sg-empty .sg-strong').textContent = title;
    this.find('.sg-empty .sg-small').textContent = hint;
  }

  get onScreen() {
    return this.plot.offsetParent !== null && this.plot.clientWidth > 0;
  }

  /** Whether the data are the open sound's. */
  current() {
    return Boolean(this.data) && this.data.request.sound === state.sound?.id;
  }

  area() {
    return plotArea(this.plot.getBoundingClientRect());
  }

  /** Where a time lies on the time axis of the rows above and under the plot. */
  xOf(time) {
    const { left, width } = this.area();
    return left + ((time - state.visible.start) / (state.visible.end - state.visible.start)) * width;
  }

  /** Draw what moves above the plot, in views that have a canvas for it. */
  drawOverlay() {}

  /** Request the visible range if the view is on screen; the latest request wins. */
  refresh() {
    if (state.sound && this.onScreen) this.load();
  }

  async loadNow() {
    const { id } = state.sound;
    const query = this.query();
    if (this.has(query)) { // perhaps back from parameters that were refused
      this.panel.accepted(this.data);
      await this.reuse();
      return;
    }
    const gone = () => this.signal.aborted || state.sound.id !== id;
    const late = setTimeout(() => this.setBusy(true), BUSY_MS);
    try {
      const answer = await this.fetch(query);
      if (gone()) return;
      this.loaded = JSON.stringify(query);
      this.panel.accepted(answer);
      await this.accept(answer, query);
    } catch (error) {
      if (gone()) return;
      if (!this.current()) this.clear();
      if (error.key?.startsWith('parameter.')) this.panel.refused(error);
      else showMessage(error.message);
    } finally {
      clearTimeout(late);
      this.setBusy(false);
    }
  }

  /** Whether a request would bring nothing new. */
  has(query) {
    return JSON.stringify(query) === this.loaded;
  }

  fetch(query) {
    return request(this.server[`${this.view}_view`], query);
  }

  query() {
    const { sound, visible: { start, end } } = state;
    return { sound: sound.id, ...this.panel.query(), start, end: Math.min(sound.seconds, end) };
  }

  /** Show data that are already there. */
  reuse() {}

  /** Show the server's answer. */
  accept(answer, query) {
    this.data = { ...answer, request: query };
  }

  /** Remove the data of a sound that is no longer open. */
  clear() {
    this.data = this.loaded = null;
  }

  setBusy(busy) {
    this.host.toggleAttribute('data-busy', busy);
  }
}
