// Feature overlays: librosa's spectrograms in place of the spectrogram, contours and onsets drawn over it. The server
// computes them in another process; slow ones show their progress and can be cancelled.

import { request } from '../core/rpc.js';
import { keepInLink } from '../core/link_fields.js';
import { emit } from '../core/state.js';
import { decodeBase64, element, find, onResize } from '../lib/dom.js';
import { formatNumber, t } from '../lib/i18n.js';
import { wait } from '../lib/wait.js';
import { menu } from '../widgets/menu.js';
import { CONTOURS, textAt } from './feature_drawing.js';
import { parameters } from './parameters.js';

const POLL_MS = 300;
const SETTLE_MS = 150; // the visible range may still be changing
const SLOW_START_MS = 2500; // without progress: the worker starts, or librosa compiles
const chosen = new Set(); // features in all views

/** The chosen features, of which the view on screen may show none. */
export const chosenFeatures = () => [...chosen];

keepInLink('features', () => (chosen.size ? [...chosen].join(',') : null), (value) => {
  const names = value?.split(',') ?? [];
  const spectrograms = names.filter((name) => parameters.spec.feature_spectrograms.includes(name));
  if (names.some((name) => !spectrograms.includes(name) && !(name in CONTOURS)) || spectrograms.length > 1) return false;
  chosen.clear();
  names.forEach((name) => chosen.add(name));
  emit('features');
  return true;
});

export const featureOverlays = (viewer) => (viewer.pitched ? new FeatureOverlays(viewer) : {});

/** The chosen feature that is a spectrogram. */
const chosenSpectrogram = () => parameters.spec.feature_spectrograms.find((feature) => chosen.has(feature));

/** The features of one viewer; `loaded`, `overlay` and `reading` are hooks. */
class FeatureOverlays {
  entries = new Map(); // by feature: its key, result and progress

  constructor(viewer) {
    this.viewer = viewer;
    this.buildMenu();
    this.legend = element('<ul class="sg-legend"></ul>');
    this.legend.append(...[...Object.keys(CONTOURS), ...parameters.spec.feature_spectrograms].map(legendRow));
    viewer.under.prepend(this.legend);
    viewer.onState('features', () => this.update());
    viewer.onState('sound', () => {
      this.entries.clear();
      this.showLegend();
    });
    viewer.signal.addEventListener('abort', () => this.entries.clear());
    onResize(viewer.plot, () => this.update(), viewer.signal); // a tab was opened
  }

  buildMenu() {
    const { viewer } = this;
    const { root, panel } = menu('layers', 'features.menu', { text: true, signal: viewer.signal });
    const spectrograms = parameters.spec.feature_spectrograms;
    const option = (type, feature) => element(`<label>
      <input type="${type}" name="sg-feature-${viewer.owner}" value="${feature}">
      <span data-t="features.name_${feature || 'none'}"></span>
      <small data-t="${feature && `features.about_${feature}`}"></small></label>`);
    viewer.toolbar.append(root);
    panel.classList.add('sg-features');
    panel.append(
      element('<h4 data-t="features.over"></h4>'), ...Object.keys(CONTOURS).map((feature) => option('checkbox', feature)),
      element('<h4 data-t="features.instead"></h4>'), ...['', ...spectrograms].map((feature) => option('radio', feature)),
    );
    panel.addEventListener('change', ({ target: { type, checked, value } }) => {
      if (type === 'radio') for (const feature of spectrograms) chosen.delete(feature);
      if (checked && value) chosen.add(value);
      else chosen.delete(value);
      emit('features');
    });
    this.inputs = [...panel.querySelectorAll('input')];
  }

  /** Request chosen features that are missing; those no longer chosen end. */
  update() {
    const { viewer } = this;
    for (const input of this.inputs) input.checked = input.value ? chosen.has(input.value) : !chosenSpectrogram();
    for (const feature of this.entries.keys()) if (!chosen.has(feature)) this.entries.delete(feature);
    if (!viewer.onScreen) return;
    if (viewer.current()) for (const feature of chosen) this.fetch(feature);
    this.showSpectrogram();
    this.showLegend();
  }

  /** Have a feature computed for the viewer's data, also for what of them is not visible after a zoom: it takes the place of
   * their levels or lies over them, and to zoom within them waits for nothing. Ends early when the feature is no longer wanted. */
  async fetch(feature) {
    const { server, spectrogram, view } = this.viewer;
    const query = { ...spectrogram.request, view, feature };
    const key = JSON.stringify(query);
    const before = this.entries.get(feature);
    if (before?.key === key) return;
    // the feature of the previous range stays until the new one has come
    const entry = { key, result: before?.result, ready: false, state: '', share: 0, error: '', since: performance.now() };
    this.entries.set(feature, entry);
    const wanted = () => this.entries.get(feature) === entry;
    let job = null;
    try {
      await wait(SETTLE_MS);
      while (wanted() && !entry.ready) {
        const answer = await (job ? request(server.feature_state, { job }) : request(server.feature_start, query));
        job = answer.job;
        if (!wanted()) break;
        if (answer.state === 'cancelled') {
          if (this.viewer.onScreen) throw new Error(t('features.ended')); // by another page of the session
          this.entries.delete(feature); // by the view that is on screen; this one asks again when it is
        } else if (answer.feature) Object.assign(entry, { result: decode(answer.feature), ready: true });
        else {
          Object.assign(entry, { state: answer.state, share: answer.progress });
          this.showLegend();
          await wait(POLL_MS);
        }
      }
      // the server ends it where a newer job replaces it
      if (job && !this.entries.has(feature)) await request(server.feature_cancel, { job });
    } catch (error) {
      Object.assign(entry, { error: error.message, result: null });
    }
    if (!wanted()) return;
    this.showSpectrogram();
    this.showLegend();
    this.viewer.drawOverlay();
  }

  /** Show the chosen feature's data in the viewer, or the spectrogram's again. */
  showSpectrogram() {
    const { viewer } = this;
    const feature = chosenSpectrogram();
    const entry = this.entries.get(feature);
    if (!viewer.current()) return;
    const drawn = { ...viewer.spectrogram, ...(entry?.ready && { ...entry.result, feature }) };
    if (viewer.data.levels === drawn.levels) return;
    viewer.data = drawn;
    emit('display'); // other levels: another range, another scale
  }

  loaded() {
    this.update();
  }

  overlay(context) {
    for (const feature of Object.keys(CONTOURS).reverse()) { // pitch, the finest, on top
      const result = this.entries.get(feature)?.result;
      if (result) CONTOURS[feature].draw(this.viewer, context, result);
    }
  }

  reading(time) {
    const ready = Object.keys(CONTOURS).filter((feature) => this.entries.get(feature)?.ready);
    const texts = ready.map((feature) => textAt(this.viewer, feature, this.entries.get(feature).result, time));
    return texts.filter(Boolean).join(' · ');
  }

  showLegend() {
    for (const row of this.legend.children) {
      const entry = this.entries.get(row.dataset.feature);
      row.hidden = !entry;
      if (entry) updateRow(row, entry);
    }
  }
}

/** A line of the legend: the feature with its colour, its progress and a button that removes it. */
function legendRow(feature) {
  const { colour } = CONTOURS[feature] ?? {};
  const row = element(`<li data-feature="${feature}" hidden>
    ${colour ? `<i style="background: ${colour}"></i>` : ''}<span data-t="features.name_${feature}"></span>
    <progress max="1" data-aria="features.name_${feature}"></progress><output></output>
    <button type="button" class="sg-link"></button></li>`);
  find(row, 'button').addEventListener('click', () => {
    chosen.delete(feature);
    emit('features');
  });
  return row;
}

function updateRow(row, { ready, share, error, since, result, state }) {
  const { feature } = row.dataset;
  const [bar, output, button] = ['progress', 'output', 'button'].map((tag) => find(row, tag));
  bar.hidden = ready || Boolean(error);
  if (share > 0) bar.value = share;
  else bar.removeAttribute('value');
  const slow = share === 0 && performance.now() - since > SLOW_START_MS;
  const progress = slow ? t('features.first') : `${formatNumber(100 * share)} %`;
  if (error) output.textContent = error;
  else if (ready) output.textContent = CONTOURS[feature]?.legend?.(result) ?? '';
  else output.textContent = state === 'waiting' ? t('features.waiting') : progress;
  button.textContent = t(ready || error ? 'features.remove' : 'features.cancel');
  button.setAttribute('aria-label', `${button.textContent}: ${t(`features.name_${feature}`)}`);
}

function decode(result) {
  if (result.levels) return { ...result, levels: decodeBase64(result.levels), unit: result.decibels ? t('page.unit_db') : '%' };
  return Object.fromEntries(Object.entries(result).map(([name, text]) => [name, new Float32Array(decodeBase64(text).buffer)]));
}
