// Layers by librosa: pictures that take the spectrogram's place, lines and marks drawn over it. The server computes them in
// a process of its own; slow ones show how far they are, and can be cancelled.

import { request, RequestError } from '../core/rpc.js';
import { emit, events, state } from '../core/state.js';
import { decodeBase64, element } from '../lib/dom.js';
import { formatNumber, t } from '../lib/i18n.js';
import { menu } from '../widgets/menu.js';
import { COLOURS, DRAW, readings } from './feature_drawing.js';
import { extend } from './viewer.js';

const PICTURES = ['constant_q', 'reassigned', 'pcen', 'harmonic', 'percussive'];
const LINES = ['pitch', 'centroid', 'loudness', 'onsets'];
const VIEWS = new Set(['mel', 'stft']);
const POLL_MS = 300;
const REST_MS = 150; // who turns a wheel or drags a slider has not arrived yet
const SLOW_START_MS = 2500; // no progress yet: it is being started, or compiled
const chosen = { picture: null, lines: new Set() }; // in all views

extend((viewer) => (VIEWS.has(viewer.constructor.view) ? new Layers(viewer).hooks() : {}));

/** The layers of one viewer. */
class Layers {
  constructor(viewer) {
    this.viewer = viewer;
    this.base = null; // the spectrogram, while a layer's picture is in its place
    this.rows = {};
    this.at = new Map(); // layer -> {key, job, share, layer, error, since}
    this.menu();
    this.legend = element('<ul class="sg-legend"></ul>');
    viewer.readout.after(this.legend);
    events.addEventListener('layers', () => this.update());
    events.addEventListener('sound', () => this.forget());
    new ResizeObserver(() => this.update()).observe(viewer.plot); // a tab was opened
  }

  hooks() {
    return {
      loaded: (data) => { this.base = data; this.update(); },
      overlay: (context) => this.draw(context),
      reading: (time) => this.read(time),
    };
  }

  menu() {
    const { root, panel } = menu('layers', 'features.menu', { text: true });
    this.viewer.toolbar.append(root);
    panel.classList.add('sg-layers');
    const name = `sg-layer-${this.viewer.constructor.view}`;
    const line = (type, layer) => {
      const row = element(`<label><input type="${type}" name="${name}"><span></span><small></small></label>`);
      row.querySelector('span').textContent = t(`features.name_${layer ?? 'none'}`);
      row.querySelector('small').textContent = layer ? t(`features.about_${layer}`) : '';
      row.querySelector('input').value = layer ?? '';
      return row;
    };
    const heading = (key) => {
      const text = element('<h4></h4>');
      text.textContent = t(key);
      return text;
    };
    panel.append(heading('features.over'), ...LINES.map((layer) => line('checkbox', layer)));
    panel.append(heading('features.instead'), ...[null, ...PICTURES].map((layer) => line('radio', layer)));
    panel.addEventListener('change', ({ target }) => {
      if (target.type === 'radio') chosen.picture = target.value || null;
      else if (target.checked) chosen.lines.add(target.value);
      else chosen.lines.delete(target.value);
      emit('layers');
    });
    this.panel = panel;
    this.show();
  }

  show() {
    for (const input of this.panel.querySelectorAll('input')) {
      input.checked = input.type === 'radio' ? input.value === (chosen.picture ?? '') : chosen.lines.has(input.value);
    }
  }

  wanted() {
    return [...LINES.filter((layer) => chosen.lines.has(layer)), ...(chosen.picture ? [chosen.picture] : [])];
  }

  /** Make what is shown what is chosen: ask for what is missing, end what is no longer wanted. */
  update() {
    this.show();
    if (!this.viewer.visible()) return;
    for (const layer of [...this.at.keys()]) if (!this.wanted().includes(layer)) this.drop(layer);
    if (this.base && this.viewer.current()) for (const layer of this.wanted()) this.fetch(layer);
    this.place();
    this.write();
  }

  drop(layer) {
    const { job } = this.at.get(layer);
    this.at.delete(layer);
    if (job) request(this.viewer.server.feature_cancel, { job }).catch((refusal) => console.info(refusal.message));
  }

  forget() {
    for (const layer of [...this.at.keys()]) this.drop(layer);
    this.base = null;
    this.write();
  }

  async fetch(layer) {
    const query = { ...this.base.request, view: this.viewer.constructor.view, feature: layer };
    const key = JSON.stringify(query);
    if (this.at.get(layer)?.key === key) return;
    const kept = this.at.get(layer)?.layer; // the stretch before, until the new one is there
    const one = { key, job: null, share: 0, layer: kept, error: null, ready: false, since: performance.now() };
    this.at.set(layer, one);
    const current = () => this.at.get(layer) === one;
    try {
      this.write();
      await rest(REST_MS);
      if (!current()) return;
      let answer = await request(this.viewer.server.feature_start, query);
      while (!answer.feature) {
        one.state = answer.state;
        if (answer.state === 'cancelled') throw new RequestError({ error: t('features.ended') }); // by another page of this session
        one.job = answer.job;
        one.share = answer.progress;
        if (!current()) { // no longer wanted, before its number was known; a newer one has ended it otherwise
          if (!this.at.has(layer)) await request(this.viewer.server.feature_cancel, { job: one.job });
          return;
        }
        this.write();
        await rest(POLL_MS);
        if (!current()) return;
        answer = await request(this.viewer.server.feature_state, { job: one.job });
      }
      one.layer = unpacked(answer.feature);
      one.ready = true;
    } catch (refusal) {
      one.error = refusal.message;
      one.layer = null;
    }
    one.job = null;
    if (!current()) return;
    this.place();
    this.write();
    this.viewer.drawOverlay();
  }

  /** Put the chosen picture in the spectrogram's place, or the spectrogram back in its own. */
  place() {
    const { viewer, base } = this;
    const one = this.at.get(chosen.picture);
    if (!base || base.request.sound !== state.sound?.id) return;
    const drawn = one?.ready ? { ...base, ...one.layer, layer: chosen.picture } : base;
    if (viewer.data === drawn || (viewer.data.layer === drawn.layer && viewer.data.levels === drawn.levels)) return;
    viewer.data = drawn;
    emit('display'); // other levels: another range, another scale
  }

  draw(context) {
    for (const layer of [...LINES].reverse()) { // pitch, the finest, on top
      const one = this.at.get(layer);
      if (one?.layer && chosen.lines.has(layer)) DRAW[layer](this.viewer, context, one.layer);
    }
  }

  read(time) {
    return LINES.filter((layer) => chosen.lines.has(layer) && this.at.get(layer)?.ready)
      .map((layer) => readings(layer, this.at.get(layer).layer, time)).filter(Boolean).join(' · ');
  }

  /** The legend: each layer with its sign, how far it is, and a button that takes it away. */
  write() {
    const layers = this.wanted().filter((layer) => this.at.has(layer));
    const rows = layers.map((layer) => this.rows[layer] ??= this.row(layer));
    // rows stay the same elements, so that a button keeps the focus and the press that is on it
    if (rows.length !== this.legend.children.length || rows.some((row, i) => row !== this.legend.children[i])) {
      this.legend.replaceChildren(...rows);
    }
    for (const layer of layers) this.tell(layer, this.at.get(layer));
    if (this.wanted().some((layer) => this.at.get(layer)?.job)) this.viewer.host.dataset.layers = 'busy';
    else delete this.viewer.host.dataset.layers;
  }

  row(layer) {
    const row = element(`<li data-layer="${layer}"><i></i><span></span><progress max="1"></progress><output></output>
      <button type="button" class="sg-link"></button></li>`);
    row.querySelector('span').textContent = t(`features.name_${layer}`);
    row.querySelector('i').style.background = COLOURS[layer] ?? '';
    row.querySelector('progress').setAttribute('aria-label', t(`features.name_${layer}`));
    row.querySelector('button').addEventListener('click', () => {
      if (chosen.picture === layer) chosen.picture = null;
      chosen.lines.delete(layer);
      emit('layers');
    });
    return row;
  }

  tell(layer, { ready, share, error, since, layer: drawn, state: how }) {
    const [bar, said, button] = ['progress', 'output', 'button'].map((tag) => this.rows[layer].querySelector(tag));
    bar.hidden = ready || Boolean(error);
    if (share > 0) bar.value = share;
    else bar.removeAttribute('value');
    const slow = share === 0 && performance.now() - since > SLOW_START_MS;
    let text = '';
    if (error) text = error;
    else if (how === 'waiting' && !ready) text = t('features.waiting');
    else if (!ready) text = slow ? t('features.first') : `${formatNumber(100 * share)} %`;
    else if (layer === 'loudness') text = DRAW.scaleOf(drawn);
    else if (layer === 'onsets') text = formatNumber(drawn.times_s.length);
    said.textContent = text;
    button.textContent = t(ready || error ? 'features.remove' : 'features.cancel');
    button.setAttribute('aria-label', `${button.textContent}: ${t(`features.name_${layer}`)}`);
  }
}

const rest = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

function unpacked(layer) {
  if (layer.levels) {
    return { ...layer, levels: decodeBase64(layer.levels), unit: layer.decibels ? t('page.unit_db') : '%' };
  }
  return Object.fromEntries(Object.entries(layer).map(([name, text]) => [name, new Float32Array(decodeBase64(text).buffer)]));
}
