// Feature overlays: librosa's spectrograms in place of the spectrogram, contours and onsets drawn over it. The server
// computes them in another process; slow ones show their progress and can be cancelled.

import { request, RequestError } from '../core/rpc.js';
import { emit, state } from '../core/state.js';
import { decodeBase64, element, find, onResize } from '../lib/dom.js';
import { formatNumber, t } from '../lib/i18n.js';
import { menu } from '../widgets/menu.js';
import { COLOURS, CONTOURS, DRAW, levelRange, readings } from './feature_drawing.js';
import { extend } from './viewer.js';

const VIEWS = ['mel', 'stft'];
const POLL_MS = 300;
const SETTLE_MS = 150; // the visible range may still be changing
const SLOW_START_MS = 2500; // without progress: the worker starts, or librosa compiles
const chosen = { spectrogram: null, contours: new Set() }; // in all views

extend((viewer) => (VIEWS.includes(viewer.view) ? new FeatureOverlays(viewer) : {}));

const wait = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

/** The features of one viewer; `loaded`, `overlay` and `reading` are hooks. */
class FeatureOverlays {
  base = null; // the spectrogram's data, also while a feature's are shown
  rows = {}; // of the legend, by feature
  requests = new Map(); // feature -> { key, job, share, result, error, since }

  constructor(viewer) {
    this.viewer = viewer;
    this.spectrograms = viewer.panel.spec.feature_spectrograms;
    this.buildMenu();
    this.legend = element('<ul class="sg-legend"></ul>');
    viewer.readout.after(this.legend);
    viewer.onState('features', () => this.update());
    viewer.onState('sound', () => this.cancelAll());
    viewer.signal.addEventListener('abort', () => this.cancelAll());
    onResize(viewer.plot, () => this.update(), viewer.signal); // a tab was opened
  }

  buildMenu() {
    const { root, panel } = menu('layers', 'features.menu', { text: true, signal: this.viewer.signal });
    this.viewer.toolbar.append(root);
    this.panel = panel;
    panel.classList.add('sg-features');
    const option = (type, feature) => element(`<label>
      <input type="${type}" name="sg-feature-${this.viewer.view}" value="${feature ?? ''}">
      <span data-t="features.name_${feature ?? 'none'}"></span>
      <small data-t="${feature ? `features.about_${feature}` : ''}"></small></label>`);
    panel.append(
      element('<h4 data-t="features.over"></h4>'), ...CONTOURS.map((feature) => option('checkbox', feature)),
      element('<h4 data-t="features.instead"></h4>'), ...[null, ...this.spectrograms].map((feature) => option('radio', feature)),
    );
    panel.addEventListener('change', ({ target }) => {
      if (target.type === 'radio') chosen.spectrogram = target.value || null;
      else if (target.checked) chosen.contours.add(target.value);
      else chosen.contours.delete(target.value);
      emit('features');
    });
    this.showChosen();
  }

  showChosen() {
    for (const input of this.panel.querySelectorAll('input')) {
      input.checked = input.type === 'radio' ? input.value === (chosen.spectrogram ?? '') : chosen.contours.has(input.value);
    }
  }

  wanted() {
    return [...CONTOURS.filter((feature) => chosen.contours.has(feature)), ...(chosen.spectrogram ? [chosen.spectrogram] : [])];
  }

  /** Request chosen features that are missing, cancel those no longer chosen. */
  update() {
    this.showChosen();
    if (!this.viewer.onScreen) return;
    const wanted = this.wanted();
    for (const feature of [...this.requests.keys()]) if (!wanted.includes(feature)) this.cancel(feature);
    if (this.base && this.viewer.current()) for (const feature of wanted) this.fetch(feature);
    this.showSpectrogram();
    this.showLegend();
  }

  cancel(feature) {
    const { job } = this.requests.get(feature);
    this.requests.delete(feature);
    if (job) request(this.viewer.server.feature_cancel, { job }).catch((error) => console.info(error.message));
  }

  cancelAll() {
    for (const feature of [...this.requests.keys()]) this.cancel(feature);
    this.base = null;
    this.showLegend();
  }

  async fetch(feature) {
    const query = { ...this.base.request, view: this.viewer.view, feature };
    const key = JSON.stringify(query);
    const before = this.requests.get(feature);
    if (before?.key === key) return;
    // the feature of the previous range stays until the new one has come
    const entry = { key, job: null, share: 0, result: before?.result, error: null, ready: false, since: performance.now() };
    this.requests.set(feature, entry);
    this.showLegend();
    try {
      await wait(SETTLE_MS);
      const answer = await this.poll(feature, entry, query);
      if (answer) Object.assign(entry, { result: decode(answer), ready: true });
    } catch (error) {
      Object.assign(entry, { error: error.message, result: null });
    }
    entry.job = null;
    if (this.requests.get(feature) !== entry) return;
    this.showSpectrogram();
    this.showLegend();
    this.viewer.drawOverlay();
  }

  /** Start a job and wait for its result; null if it is no longer wanted. */
  async poll(feature, entry, query) {
    const { server } = this.viewer;
    const current = () => this.requests.get(feature) === entry;
    if (!current()) return null;
    let answer = await request(server.feature_start, query);
    while (!answer.feature) {
      if (answer.state === 'cancelled') throw new RequestError({ error: t('features.ended') }); // by another page of the session
      Object.assign(entry, { state: answer.state, job: answer.job, share: answer.progress });
      if (!current()) { // cancelled before its number was known; a newer job has replaced it otherwise
        if (!this.requests.has(feature)) await request(server.feature_cancel, { job: entry.job });
        return null;
      }
      this.showLegend();
      await wait(POLL_MS);
      if (!current()) return null;
      answer = await request(server.feature_state, { job: entry.job });
    }
    return answer.feature;
  }

  /** Show the chosen feature's data in the viewer, or the spectrogram's again. */
  showSpectrogram() {
    const { viewer, base } = this;
    const entry = this.requests.get(chosen.spectrogram);
    if (!base || base.request.sound !== state.sound?.id) return;
    const drawn = entry?.ready ? { ...base, ...entry.result, feature: chosen.spectrogram } : base;
    if (viewer.data === drawn || (viewer.data.feature === drawn.feature && viewer.data.levels === drawn.levels)) return;
    viewer.data = drawn;
    emit('display'); // other levels: another range, another scale
  }

  loaded(data) {
    this.base = data;
    this.update();
  }

  overlay(context) {
    for (const feature of [...CONTOURS].reverse()) { // pitch, the finest, on top
      const entry = this.requests.get(feature);
      if (entry?.result && chosen.contours.has(feature)) DRAW[feature](this.viewer, context, entry.result);
    }
  }

  reading(time) {
    return CONTOURS.filter((feature) => chosen.contours.has(feature) && this.requests.get(feature)?.ready)
      .map((feature) => readings(feature, this.requests.get(feature).result, time)).filter(Boolean).join(' · ');
  }

  /** The legend: each feature with its colour, its progress and a button that removes it. */
  showLegend() {
    const features = this.wanted().filter((feature) => this.requests.has(feature));
    const rows = features.map((feature) => this.rows[feature] ??= this.legendRow(feature));
    // a row stays the same element, so that its button keeps focus and press
    if (rows.length !== this.legend.children.length || rows.some((row, i) => row !== this.legend.children[i])) {
      this.legend.replaceChildren(...rows);
    }
    for (const feature of features) this.updateRow(feature, this.requests.get(feature));
    if (features.some((feature) => this.requests.get(feature).job)) this.viewer.host.dataset.features = 'busy';
    else delete this.viewer.host.dataset.features;
  }

  legendRow(feature) {
    const colour = COLOURS[feature] ? `<i style="background: ${COLOURS[feature]}"></i>` : '';
    const row = element(`<li data-feature="${feature}">${colour}<span data-t="features.name_${feature}"></span>
      <progress max="1" data-aria="features.name_${feature}"></progress><output></output>
      <button type="button" class="sg-link"></button></li>`);
    find(row, 'button').addEventListener('click', () => {
      if (chosen.spectrogram === feature) chosen.spectrogram = null;
      chosen.contours.delete(feature);
      emit('features');
    });
    return row;
  }

  updateRow(feature, { ready, share, error, since, result, state: progress }) {
    const [bar, output, button] = ['progress', 'output', 'button'].map((tag) => find(this.rows[feature], tag));
    bar.hidden = ready || Boolean(error);
    if (share > 0) bar.value = share;
    else bar.removeAttribute('value');
    const slow = share === 0 && performance.now() - since > SLOW_START_MS;
    let text = '';
    if (error) text = error;
    else if (progress === 'waiting' && !ready) text = t('features.waiting');
    else if (!ready) text = slow ? t('features.first') : `${formatNumber(100 * share)} %`;
    else if (feature === 'loudness') text = levelRange(result);
    else if (feature === 'onsets') text = formatNumber(result.times_s.length);
    output.textContent = text;
    button.textContent = t(ready || error ? 'features.remove' : 'features.cancel');
    button.setAttribute('aria-label', `${button.textContent}: ${t(`features.name_${feature}`)}`);
  }
}

function decode(result) {
  if (result.levels) return { ...result, levels: decodeBase64(result.levels), unit: result.decibels ? t('page.unit_db') : '%' };
  return Object.fromEntries(Object.entries(result).map(([name, text]) => [name, new Float32Array(decodeBase64(text).buffer)]));
}
