// Parameter panel: presets, fields, what the parameters mean together, and fixes for what is impossible.

import { emit } from '../core/state.js';
import { element, find } from '../lib/dom.js';
import { formatNumber, t } from '../lib/i18n.js';
import { Advice } from './parameter_advice.js';

const UNITS = {
  n_fft: 'samples', win_length: 'samples', hop_length: 'samples', n_mels: 'bands', n_mfcc: 'bands', lifter: 'bands',
  fmin: 'hz', fmax: 'hz', top_db: 'db',
};
const RATES = [8000, 11025, 16000, 22050, 32000, 44100, 48000, 96000, 192000];
const SLIDER_STEPS = 1000;
const TYPING_MS = 350;
const LINEAR = new Set(['top_db', 'n_mels', 'n_mfcc', 'lifter']);
const FRAMES = ['sample_rate', 'n_fft', 'win_length', 'hop_length'];
const BANDS = ['n_mels', 'fmin', 'fmax'];
const FIELDS = {
  mel: [...FRAMES, ...BANDS, 'top_db', 'window'],
  stft: [...FRAMES, 'top_db', 'window'],
  mfcc: [...FRAMES, ...BANDS, 'n_mfcc', 'delta', 'lifter', 'top_db', 'window'],
  wave: [],
  surface: [...FRAMES, ...BANDS, 'top_db', 'window'],
};
const milliseconds = (value) => `${formatNumber(value, 1)} ${t('page.unit_ms')}`;
const hertz = (value) => `${formatNumber(value, 1)} ${t('page.unit_hz')}`;
const DERIVED = {
  window_ms: milliseconds, hop_ms: milliseconds, bin_hz: hertz, resolution_ms: milliseconds, resolution_hz: hertz,
  overlap: (share) => `${formatNumber(100 * share)} %`, frames: (count) => formatNumber(count),
};
const PANEL = `<div>
  <div class="sg-notes" role="status"></div>
  <details class="sg-params" open>
    <summary data-t="parameters.title"></summary>
    <label class="sg-preset"><span data-t="parameters.preset"></span><select></select></label>
    <div class="sg-refusal" role="alert" hidden><span></span><button type="button" class="sg-link"></button></div>
    <div class="sg-fields"></div>
  </details></div>`;

// shared by all views: a change in one tab applies to the others
const shared = { spec: null, values: null, panels: new Set() };

/** Build a view's panel at its side and the cards of what the parameters mean under its plot. */
export function parameterPanel(view, spec) {
  shared.spec ??= spec;
  shared.values ??= firstValues(spec);
  const panel = new Panel(view, spec);
  shared.panels.add(panel);
  view.signal.addEventListener('abort', () => shared.panels.delete(panel));
  panel.write();
  return panel;
}

const firstValues = (spec) => ({ ...spec.presets.librosa, ...spec.cepstrum });

/** The parameters, their defaults and what values are possible. */
export function parameters() {
  return { values: { ...shared.values }, first: firstValues(shared.spec), spec: shared.spec };
}

/** Change parameters for all views; `source` is the field that is being typed into and keeps its text. */
export function applyParameters(changes, source = null) {
  Object.assign(shared.values, changes);
  for (const panel of shared.panels) {
    panel.write(source);
    panel.viewer.refresh();
  }
  emit('parameters');
}

class Panel {
  writers = {}; // by field: write(value, source)

  constructor(viewer, spec) {
    this.viewer = viewer;
    this.spec = spec;
    this.view = viewer.view;
    this.of = this.view === 'surface' ? 'mel' : this.view; // what is computed; 3D may show the STFT
    this.root = viewer.find('.sg-side');
    this.root.replaceChildren(...element(PANEL).children);
    const together = viewer.find('.sg-derived');
    together.replaceChildren(element('<h2 data-t="parameters.together"></h2>'), element('<dl></dl>'));
    this.meaning = together.lastChild;
    this.advice = new Advice(find(this.root, '.sg-notes'), this);
    this.refusal = find(this.root, '.sg-refusal');
    this.preset = find(this.root, '.sg-preset select');
    for (const name of [...Object.keys(spec.presets), 'own']) this.preset.append(new Option(t(`parameters.preset_${name}`), name));
    this.preset.lastChild.disabled = true;
    this.preset.addEventListener('change', () => applyParameters(spec.presets[this.preset.value]));
    this.rows = find(this.root, '.sg-fields');
    this.addFields();
    this.showMeaning(null);
    if (window.matchMedia('(max-width: 900px)').matches) find(this.root, 'details').open = false;
  }

  addFields() {
    const options = {
      sample_rate: () => RATES.map((rate) => [rate, `${formatNumber(rate)} ${t('page.unit_hz')}`]),
      delta: () => [0, 1, 2].map((order) => [order, t(`parameters.delta_${order}`)]),
      window: () => this.spec.windows.map((window) => [window, window]),
    };
    for (const name of FIELDS[this.view]) {
      if (options[name]) this.addSelect(name, options[name]());
      else this.addNumber(name);
    }
    this.root.hidden = FIELDS[this.view].length === 0;
  }

  addRow(name, ...controls) {
    const id = this.id(name);
    const row = element(`<div class="sg-field" data-field="${name}"><label for="${id}" data-t="parameters.field_${name}"></label>
      <div></div><small id="${id}-hint" data-t="parameters.hint_${name}"></small></div>`);
    find(row, 'div').append(...controls);
    this.rows.append(row);
  }

  addSelect(name, options) {
    const values = new Set(options.map(([value]) => value));
    const select = element(`<select id="${this.id(name)}" aria-describedby="${this.id(name)}-hint"></select>`);
    for (const [value, text] of options) select.append(new Option(text, value));
    select.addEventListener('change', () => this.edit(name, name === 'window' ? select.value : Number(select.value)));
    this.addRow(name, select);
    this.writers[name] = (value) => {
      if (!values.has(value)) { // a file's unusual rate
        values.add(value);
        select.append(new Option(formatNumber(value), value));
      }
      select.value = value;
    };
  }

  addNumber(name) {
    const [low, high] = this.spec.limits[name];
    const id = this.id(name);
    const slider = element(`<input type="range" min="0" step="1" aria-describedby="${id}-hint" data-aria="parameters.field_${name}">`);
    const box = element(`<input type="number" id="${id}" min="${low}" max="${high}" step="any" inputmode="decimal">`);
    const label = element(`<span class="sg-unit" data-t="page.unit_${UNITS[name]}"></span>`);
    const scale = () => sliderScale(name, low, Math.min(high, Math.max(2 * low + 1, highest(name) ?? high)));
    let typing;
    const typed = () => {
      clearTimeout(typing);
      if (box.value !== '' && Number(box.value) !== shared.values[name]) this.edit(name, Number(box.value), box);
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
    this.addRow(name, slider, box, label);
    this.writers[name] = (value, source) => {
      const { steps, step } = scale();
      slider.max = steps;
      slider.value = Math.min(steps, Math.max(0, step(Math.max(value, low))));
      slider.setAttribute('aria-valuetext', `${formatNumber(value)} ${label.textContent}`);
      if (source !== box) box.value = value;
    };
  }

  id(name) {
    return this.view === 'mel' ? `sg-${name}` : `sg-${this.view}-${name}`;
  }

  edit(name, value, source = null) {
    const changes = { [name]: value };
    const { n_fft: size, win_length: length, sample_rate: rate, fmax } = shared.values;
    if (name === 'n_fft' && length === size) changes.win_length = value; // a window as long as the transform stays so
    if (name === 'sample_rate' && fmax === rate / 2) changes.fmax = value / 2; // so does a range up to the Nyquist frequency
    applyParameters(changes, source);
  }

  write(source = null) {
    for (const [name, write] of Object.entries(this.writers)) write(shared.values[name], source);
    const same = (preset) => Object.entries(preset).every(([key, value]) => shared.values[key] === value);
    this.preset.value = Object.entries(this.spec.presets).find(([, preset]) => same(preset))?.[0] ?? 'own';
  }

  /** Parameters for the view's requests; those that it does not use are set to legal values. */
  values() {
    const { n_mfcc: count, lifter, delta, ...values } = shared.values;
    if (this.of === 'mfcc') return { ...values, n_mfcc: count };
    return this.of === 'stft' ? { ...values, n_mels: 40, fmin: 0, fmax: values.sample_rate / 2 } : values;
  }

  /** The part of a request that holds the parameters. */
  query() {
    const { lifter, delta } = shared.values;
    return { config: this.values(), ...(this.of === 'mfcc' && { cepstrum: { lifter, delta } }) };
  }

  /** All parameters as they are. */
  current() {
    return shared.values;
  }

  apply(changes) {
    applyParameters(changes);
  }

  /** The part of a fix that concerns the view: the STFT has no mel bands and leaves the other views' alone if possible. */
  relevant(fix) {
    if (this.of !== 'stft') return fix;
    const { fmin, fmax, ...changes } = fix;
    const highestHz = changes.sample_rate / 2;
    return shared.values.fmax > highestHz ? { ...changes, fmax: highestHz } : changes;
  }

  clearRefusal() {
    this.refusal.hidden = true;
    for (const row of this.root.querySelectorAll('.sg-field[data-wrong]')) row.removeAttribute('data-wrong');
  }

  /** The server accepted the parameters: show what they mean and where they mislead. */
  accepted({ meaning, advice }) {
    this.clearRefusal();
    if (!meaning) return; // the waveform has no parameters
    this.showMeaning(meaning);
    this.advice.show(advice, meaning);
  }

  showMeaning(meaning) {
    this.meaning.replaceChildren(...Object.entries(DERIVED).map(([name, text]) => {
      const row = element(`<div><dt data-t="parameters.derived_${name}"></dt><dd></dd></div>`);
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
      button.textContent = t('parameters.fix', { field: t(`parameters.field_${field}`), value });
      button.onclick = () => applyParameters(fix);
    }
    for (const name of fields) this.root.querySelector(`[data-field="${name}"]`)?.setAttribute('data-wrong', 'true');
  }
}

/** The end of a field's slider where other parameters set it; the number box takes any value. */
function highest(name) {
  const { sample_rate: rate, n_fft: size } = shared.values;
  return { fmin: rate / 2, fmax: rate / 2, win_length: size }[name];
}

/** Scale of a slider: powers of two, linear, or a constant ratio a step. */
function sliderScale(name, low, high) {
  const linear = LINEAR.has(name);
  const shift = low > 0 ? 0 : 100; // a scale from 0 begins nearly linear
  const to = (value) => (linear ? value : Math.log(value + shift));
  const from = (x) => (linear ? x : Math.exp(x) - shift);
  const [a, b] = [to(low), to(high)];
  const steps = name === 'n_fft' ? Math.log2(high / low) : linear ? high - low : SLIDER_STEPS;
  return {
    steps,
    value: (step) => Math.round(from(a + ((b - a) * step) / steps)),
    step: (value) => Math.round((steps * (to(value) - a)) / (b - a)),
  };
}
