// Parameter panel: presets, fields, what the parameters mean together, and fixes for what is impossible.

import { element, find, translated } from '../lib/dom.js';
import { formatHz, formatNumber, t } from '../lib/i18n.js';
import { Advice } from './parameter_advice.js';
import { applyParameters, configOf, parameters, queryOf, setSpec } from './parameters.js';

const UNITS = {
  n_fft: 'samples', win_length: 'samples', hop_length: 'samples', n_mels: 'bands', n_mfcc: 'bands', lifter: 'bands',
  fmin: 'hz', fmax: 'hz', top_db: 'db',
};
const LIBROSA = { sample_rate: 'sr', delta: 'order', db_ref: 'ref' }; // names in librosa, where they differ
const RATES = [1000, 2000, 4000, 8000, 11025, 16000, 22050, 32000, 44100, 48000, 96000, 192000, 250000, 384000, 500000, 768000];
const SLIDER_STEPS = 100; // so wide that each changes a whole number
const TYPING_MS = 350;
const LINEAR = new Set(['top_db', 'n_mels', 'n_mfcc', 'lifter']);
const FRAMES = ['sample_rate', 'n_fft', 'win_length', 'hop_length'];
const BANDS = ['n_mels', 'fmin', 'fmax'];
const FIELDS = {
  mel: [...FRAMES, ...BANDS, 'top_db', 'db_ref', 'window'],
  stft: [...FRAMES, 'top_db', 'db_ref', 'window'],
  mfcc: [...FRAMES, ...BANDS, 'n_mfcc', 'delta', 'lifter', 'top_db', 'window'],
  wave: [],
  surface: [...FRAMES, ...BANDS, 'top_db', 'db_ref', 'window'],
};
const milliseconds = (value) => `${formatNumber(value, 1)} ${t('page.unit_ms')}`;
const hertz = (value) => formatHz(value, 1);
const DERIVED = {
  window_ms: milliseconds, hop_ms: milliseconds, bin_hz: hertz, resolution_ms: milliseconds, resolution_hz: hertz,
  overlap: (share) => `${formatNumber(100 * share)} %`, frames: (count) => formatNumber(count),
};
/** Texts of the choices of a field. */
const CHOICE = {
  sample_rate: (rate) => formatHz(rate),
  delta: (order) => t(`parameters.delta_${order}`),
  window: (name) => name,
  db_ref: (reference) => t(`parameters.db_ref_${reference}`),
};
const PANEL = `
  <details class="sg-params" open>
    <summary data-t="parameters.title"></summary>
    <label class="sg-preset"><span data-t="parameters.preset"></span><select></select></label>
    <div class="sg-fields"></div>
  </details>`;

/** The panel at the side of a view, and the cards under its plot with what the parameters mean together. */
export class ParameterPanel {
  writers = {}; // by field: write(value, source)

  constructor(viewer, spec) {
    setSpec(spec);
    this.viewer = viewer;
    this.of = viewer.view === 'surface' ? 'mel' : viewer.view; // what is computed; 3D may show the STFT
    this.root = viewer.find('.sg-side');
    this.root.innerHTML = PANEL;
    translated(this.root);
    this.meaning = viewer.find('.sg-derived dl');
    this.advice = new Advice(viewer.find('.sg-advice'), this);
    this.refusal = viewer.find('.sg-refusal');
    this.preset = find(this.root, '.sg-preset select');
    for (const name of [...Object.keys(spec.presets), 'own']) {
      this.preset.append(new Option(t(`parameters.preset_${name}`), name));
    }
    this.preset.lastChild.disabled = true;
    this.preset.addEventListener('change', () => applyParameters(spec.presets[this.preset.value]));
    const choices = { sample_rate: RATES, delta: [0, 1, 2], window: spec.windows, db_ref: spec.db_refs };
    for (const name of FIELDS[viewer.view]) {
      if (choices[name]) this.addSelect(name, choices[name]);
      else this.addNumber(name);
    }
    this.root.hidden = viewer.find('.sg-notes').hidden = FIELDS[viewer.view].length === 0;
    this.showMeaning(null);
    viewer.onState('parameters', ({ detail }) => {
      this.write(detail.source);
      viewer.refresh();
    });
    this.write();
  }

  addRow(name, ...controls) {
    const id = this.id(name);
    const row = element(`<div class="sg-field" data-field="${name}"><p><label for="${id}" data-t="parameters.field_${name}"></label>
      <code></code></p><div></div><small id="${id}-hint" data-t="parameters.hint_${name}"></small></div>`);
    find(row, 'div').append(...controls);
    find(row, 'code').textContent = LIBROSA[name] ?? name;
    find(row, 'code').title = t('parameters.librosa_name', { name: LIBROSA[name] ?? name });
    find(this.root, '.sg-fields').append(row);
  }

  addSelect(name, values) {
    const select = element(`<select id="${this.id(name)}" aria-describedby="${this.id(name)}-hint"></select>`);
    const add = (value) => select.append(new Option(CHOICE[name](value), value));
    values.forEach(add);
    select.addEventListener('change', () => this.edit(name, Number.isNaN(Number(select.value)) ? select.value : Number(select.value)));
    this.addRow(name, select);
    this.writers[name] = (value) => {
      select.value = value;
      if (select.selectedIndex >= 0) return;
      add(value); // a file's unusual rate
      select.value = value;
    };
  }

  addNumber(name) {
    const [low, high] = parameters.spec.limits[name];
    const id = this.id(name);
    const slider = element(`<input type="range" aria-describedby="${id}-hint" data-aria="parameters.field_${name}">`);
    const box = element(`<input type="number" id="${id}" min="${low}" max="${high}" step="any" inputmode="decimal">`);
    const unit = element(`<span class="sg-unit" data-t="page.unit_${UNITS[name]}"></span>`);
    const scale = () => sliderScale(name, low, Math.min(high, Math.max(2 * low + 1, highest(name) ?? high)));
    let typing;
    const typed = () => {
      clearTimeout(typing);
      if (box.value !== '' && Number(box.value) !== parameters.values[name]) this.edit(name, Number(box.value), box);
    };
    slider.addEventListener('input', () => this.edit(name, scale().value(Number(slider.value))));
    box.addEventListener('input', () => {
      clearTimeout(typing);
      typing = setTimeout(typed, TYPING_MS); // 2048 is not first a 2
    });
    box.addEventListener('change', () => {
      typed();
      this.write();
    });
    this.addRow(name, slider, box, unit);
    this.writers[name] = (value, source) => {
      const { min, max, position } = scale();
      Object.assign(slider, { min, max, value: position(Math.max(value, low)) });
      slider.setAttribute('aria-valuetext', `${formatNumber(value)} ${unit.textContent}`);
      if (source !== box) box.value = value;
    };
  }

  /** The id of a field's control, unique in the page. */
  id(name) {
    const { owner } = this.viewer;
    return owner === 'mel' ? `sg-${name}` : `sg-${owner}-${name}`;
  }

  edit(name, value, source = null) {
    const changes = { [name]: value };
    const { n_fft: size, win_length: length, sample_rate: rate, fmax } = parameters.values;
    if (name === 'n_fft' && length === size) changes.win_length = value; // a window as long as the transform stays so
    if (name === 'sample_rate' && fmax === rate / 2) changes.fmax = value / 2; // so does a range up to the Nyquist frequency
    applyParameters(changes, source);
  }

  write(source = null) {
    const { values, spec } = parameters;
    for (const [name, write] of Object.entries(this.writers)) write(values[name], source);
    const same = (preset) => Object.entries(preset).every(([key, value]) => values[key] === value);
    this.preset.value = Object.keys(spec.presets).find((name) => same(spec.presets[name])) ?? 'own';
  }

  /** Parameters for the view's requests. */
  values() {
    return configOf(this.of);
  }

  /** The part of a request that holds the parameters; `all`: other ones than the present. */
  query(all = parameters.values) {
    return queryOf(this.of, all);
  }

  /** The part of a fix that concerns the view: the STFT has no mel bands and leaves the other views' alone if possible. */
  relevant(fix) {
    if (this.of !== 'stft') return fix;
    const { fmin, fmax, ...changes } = fix;
    const nyquist = changes.sample_rate / 2;
    return parameters.values.fmax > nyquist ? { ...changes, fmax: nyquist } : changes;
  }

  clearRefusal() {
    this.refusal.hidden = true;
    for (const row of this.root.querySelectorAll('.sg-field[data-wrong]')) row.removeAttribute('data-wrong');
  }

  /** The server accepted the parameters: show what they mean and where they mislead. */
  accepted({ meaning, advice }) {
    this.clearRefusal();
    if (!meaning || meaning === this.advice.meaning) return; // the waveform has no parameters; as shown already
    this.showMeaning(meaning);
    this.advice.show(advice, meaning);
  }

  showMeaning(meaning) {
    this.meaning.replaceChildren(...Object.entries(DERIVED).map(([name, text]) => {
      const row = element(`<div data-tip="parameters.derived_${name}_hint"><dt data-t="parameters.derived_${name}"></dt><dd></dd></div>`);
      row.lastChild.textContent = meaning ? text(meaning[name]) : '–';
      return row;
    }));
  }

  /** The parameters are impossible: show why and offer a fix; the last image stays. */
  refused({ message, fix, fields = [] }) {
    this.clearRefusal();
    // the server names the fields as in Python
    const named = (name) => (this.writers[name] && name !== 'window' ? t(`parameters.field_${name}`) : name);
    const text = message.replace(/\b[a-z]\w+\b/g, named);
    this.refusal.hidden = !text;
    find(this.refusal, 'span').textContent = text;
    const button = find(this.refusal, 'button');
    button.hidden = !fix;
    if (fix) {
      const [[field, value]] = Object.entries(fix);
      const text = typeof value === 'number' ? formatNumber(value, Number.isInteger(value) ? 0 : 1) : value;
      button.textContent = t('parameters.fix', { field: t(`parameters.field_${field}`), value: text });
      button.onclick = () => applyParameters(fix);
    }
    for (const name of fields) find(this.root, `[data-field="${name}"]`)?.setAttribute('data-wrong', 'true');
  }
}

/** The end of a field's slider where other parameters set it; the number box takes any value. */
function highest(name) {
  const { sample_rate: rate, n_fft: size } = parameters.values;
  return { fmin: rate / 2, fmax: rate / 2, win_length: size }[name];
}

/** A slider's range and its position for a value, and back: linear, in powers of two, or with a constant ratio a step. */
function sliderScale(name, low, high) {
  if (LINEAR.has(name)) return { min: low, max: high, position: (value) => value, value: (position) => position };
  if (name === 'n_fft') return { min: Math.log2(low), max: Math.log2(high), position: Math.log2, value: (power) => 2 ** power };
  const shift = low > 0 ? 0 : 100; // a scale from 0 begins nearly linear
  const [first, last] = [Math.log(low + shift), Math.log(high + shift)];
  return {
    min: 0,
    max: SLIDER_STEPS,
    position: (value) => (SLIDER_STEPS * (Math.log(value + shift) - first)) / (last - first),
    value: (step) => (step < SLIDER_STEPS ? Math.round(Math.exp(first + ((last - first) * step) / SLIDER_STEPS) - shift) : high),
  };
}
