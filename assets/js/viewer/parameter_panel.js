// The parameter panel: presets, a slider and a number for each, what they mean together, and fixes for what is impossible.

import { emit } from '../core/state.js';
import { element } from '../lib/dom.js';
import { formatNumber, t } from '../lib/i18n.js';
import { Notes } from './parameter_advice.js';

const UNITS = {
  n_fft: 'samples', win_length: 'samples', hop_length: 'samples', n_mels: 'bands', fmin: 'hz', fmax: 'hz', n_mfcc: 'bands', lifter: 'bands', top_db: 'db',
};
const RATES = [8000, 11025, 16000, 22050, 32000, 44100, 48000, 96000, 192000];
const SLIDER_STEPS = 1000;
const TYPING_MS = 350;
const POWERS_OF_TWO = new Set(['n_fft']);
const LINEAR = new Set(['top_db', 'n_mels', 'n_mfcc', 'lifter']);

// all views look through the same parameters: a change in one tab is there in the others
const shared = { kept: null, panels: new Set() };
const SHOWN = {
  mel: ['sample_rate', 'n_fft', 'win_length', 'hop_length', 'n_mels', 'fmin', 'fmax', 'top_db', 'window'],
  stft: ['sample_rate', 'n_fft', 'win_length', 'hop_length', 'top_db', 'window'],
  mfcc: ['sample_rate', 'n_fft', 'win_length', 'hop_length', 'n_mels', 'fmin', 'fmax', 'n_mfcc', 'delta', 'lifter', 'top_db', 'window'],
  wave: [],
  surface: ['sample_rate', 'n_fft', 'win_length', 'hop_length', 'n_mels', 'fmin', 'fmax', 'top_db', 'window'],
};

/** Build a view's panel in `root` and the cards of what the parameters mean in `together`; `changed()` follows edits. */
export function parameterPanel(root, together, spec, view, changed) {
  shared.kept ??= { ...spec.presets.librosa, ...spec.cepstrum };
  const panel = new Panel(root, together, spec, view, changed);
  shared.panels.add(panel);
  panel.write();
  return panel;
}

/** The parameters as they are, what they are at first, and what values are possible. */
export function parameters() {
  const { spec } = [...shared.panels][0];
  return { values: { ...shared.kept }, first: { ...spec.presets.librosa, ...spec.cepstrum }, spec };
}

/** Change parameters and tell all views; `from` is the box that is being typed into and keeps its text. */
export function applyParameters(changes, from) {
  Object.assign(shared.kept, changes);
  for (const panel of shared.panels) {
    panel.write(from);
    panel.changed();
  }
  emit('parameters');
}

class Panel {
  constructor(root, together, spec, view, changed) {
    this.spec = spec;
    this.view = view;
    this.of = view === 'surface' ? 'mel' : view; // what is computed; 3D may show the STFT
    this.changed = changed;
    this.fields = {};
    root.innerHTML = `
      <div class="sg-notes" role="status"></div>
      <details class="sg-params" open>
        <summary></summary>
        <label class="sg-preset"><span></span><select></select></label>
        <div class="sg-refusal" role="alert" hidden><span></span><button type="button" class="sg-link"></button></div>
        <div class="sg-fields"></div>
      </details>`;
    root.querySelector('summary').textContent = t('parameters.title');
    root.querySelector('.sg-preset span').textContent = t('parameters.preset');
    together.innerHTML = '<h2></h2><dl></dl>';
    together.querySelector('h2').textContent = t('parameters.together');
    this.meaning = together.querySelector('dl');
    this.root = root;
    this.notes = new Notes(root.querySelector('.sg-notes'), {
      config: () => shared.kept,
      fit: (fix) => this.fit(fix),
      apply: applyParameters,
      longest: spec.limits.n_fft[1],
    });
    this.preset = root.querySelector('.sg-preset select');
    for (const name of [...Object.keys(spec.presets), 'own']) this.preset.append(new Option(t(`parameters.preset_${name}`), name));
    this.preset.options[this.preset.options.length - 1].disabled = true;
    this.preset.addEventListener('change', () => this.choose(this.preset.value));
    this.build(root.querySelector('.sg-fields'));
    this.showMeaning(null);
    if (window.matchMedia('(max-width: 900px)').matches) root.querySelector('details').open = false;
  }

  build(place) {
    for (const name of SHOWN[this.view]) {
      if (name === 'sample_rate') {
        this.addSelect(place, name, RATES.map((rate) => [rate, `${formatNumber(rate)} ${t('page.unit_hz')}`]), Number);
      } else if (name === 'delta') {
        this.addSelect(place, name, [0, 1, 2].map((order) => [order, t(`parameters.delta_${order}`)]), Number);
      } else if (name === 'window') {
        this.addSelect(place, name, this.spec.windows.map((window) => [window, window]), String);
      } else this.addNumber(place, name, UNITS[name]);
    }
    this.root.hidden = SHOWN[this.view].length === 0;
  }

  row(place, name, control) {
    const row = element(`<div class="sg-field" data-field="${name}"><label for="${this.id(name)}"></label><div></div><small id="${this.id(name)}-hint"></small></div>`);
    row.querySelector('label').textContent = t(`parameters.field_${name}`);
    row.querySelector('small').textContent = t(`parameters.hint_${name}`);
    row.querySelector('div').append(...control);
    place.append(row);
  }

  addSelect(place, name, options, type) {
    const values = new Set(options.map(([value]) => value));
    const select = element(`<select id="${this.id(name)}" aria-describedby="${this.id(name)}-hint"></select>`);
    for (const [value, text] of options) select.append(new Option(text, value));
    select.addEventListener('change', () => this.edit(name, type(select.value)));
    this.row(place, name, [select]);
    const write = (value) => {
      if (!values.has(value)) { // a file's own unusual rate
        values.add(value);
        select.append(new Option(formatNumber(value), value));
      }
      select.value = value;
    };
    this.fields[name] = { write };
  }

  addNumber(place, name, unit) {
    const [low, high] = this.spec.limits[name];
    // a slider ends where nothing more is possible; the number box takes any value and hears why not
    const tops = { fmin: () => shared.kept.sample_rate / 2, fmax: () => shared.kept.sample_rate / 2, win_length: () => shared.kept.n_fft };
    const scale = () => sliderScale(name, low, Math.min(high, Math.max(2 * low + 1, tops[name]?.() ?? high)));
    const slider = element(`<input type="range" min="0" step="1" aria-describedby="${this.id(name)}-hint">`);
    slider.setAttribute('aria-label', t(`parameters.field_${name}`));
    const box = element(`<input type="number" id="${this.id(name)}" min="${low}" max="${high}" step="any" inputmode="decimal">`);
    const label = element('<span class="sg-unit"></span>');
    label.textContent = t(`page.unit_${unit}`);
    let typing = 0;
    const typed = () => {
      clearTimeout(typing);
      if (box.value !== '' && Number(box.value) !== shared.kept[name]) this.edit(name, Number(box.value), box);
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
    this.row(place, name, [slider, box, label]);
    this.fields[name] = {
      write: (value, except) => {
        const { steps, place: at } = scale();
        slider.max = steps;
        slider.value = Math.min(steps, Math.max(0, at(Math.max(value, low))));
        slider.setAttribute('aria-valuetext', `${formatNumber(value)} ${label.textContent}`);
        if (except !== box) box.value = value;
      },
    };
  }

  id(name) {
    return this.view === 'mel' ? `sg-${name}` : `sg-${this.view}-${name}`;
  }

  choose(name) {
    applyParameters(this.spec.presets[name]);
  }

  edit(name, value, from) {
    const changes = { [name]: value };
    const { n_fft: size, win_length: length, sample_rate: rate, fmax } = shared.kept;
    if (name === 'n_fft' && length === size) changes.win_length = value; // a window as long as the transform stays so
    if (name === 'sample_rate' && fmax === rate / 2) changes.fmax = value / 2; // a band up to the top stays up there
    applyParameters(changes, from);
  }

  write(from) {
    for (const [name, { write }] of Object.entries(this.fields)) write(shared.kept[name], from);
    const same = (preset) => Object.entries(preset).every(([key, value]) => shared.kept[key] === value);
    this.preset.value = Object.entries(this.spec.presets).find(([, preset]) => same(preset))?.[0] ?? 'own';
  }

  /** The parameters for this view's requests; those that it does not use can't stand in its way. */
  values() {
    const { n_mfcc: count, lifter, delta, ...values } = shared.kept;
    if (this.of === 'mfcc') return { ...values, n_mfcc: count };
    return this.of === 'stft' ? { ...values, n_mels: 40, fmin: 0, fmax: values.sample_rate / 2 } : values;
  }

  /** What a request for this view's picture says of the parameters. */
  asked() {
    const { lifter, delta } = shared.kept;
    return { config: this.values(), ...(this.of === 'mfcc' && { cepstrum: { lifter, delta } }) };
  }

  /** What of a fix concerns this view: the STFT has no band, and leaves the others' alone as far as it can be. */
  fit(fix) {
    if (this.of !== 'stft') return fix;
    const { fmin, fmax, ...changes } = fix;
    const highest = changes.sample_rate / 2;
    return shared.kept.fmax > highest ? { ...changes, fmax: highest } : changes;
  }

  quiet() {
    this.root.querySelector('.sg-refusal').hidden = true;
    for (const row of this.root.querySelectorAll('.sg-field[data-wrong]')) row.removeAttribute('data-wrong');
  }

  /** The server drew a picture with these parameters: show what they mean and where they mislead. */
  accepted({ meaning, advice }) {
    this.quiet();
    if (!meaning) return; // the waveform has no parameters
    this.showMeaning(meaning);
    this.notes.show({ advice, meaning });
  }

  showMeaning(meaning) {
    const [hz, ms] = [t('page.unit_hz'), t('page.unit_ms')];
    const rows = [
      ['parameters.derived_window_ms', (m) => `${formatNumber(m.window_ms, 1)} ${ms}`],
      ['parameters.derived_hop_ms', (m) => `${formatNumber(m.hop_ms, 1)} ${ms}`],
      ['parameters.derived_bin_hz', (m) => `${formatNumber(m.bin_hz, 1)} ${hz}`],
      ['parameters.derived_resolution_ms', (m) => `${formatNumber(m.resolution_ms, 1)} ${ms}`],
      ['parameters.derived_resolution_hz', (m) => `${formatNumber(m.resolution_hz, 1)} ${hz}`],
      ['parameters.derived_overlap', (m) => `${formatNumber(100 * m.overlap)} %`],
      ['parameters.derived_frames', (m) => formatNumber(m.frames)],
    ];
    this.meaning.replaceChildren(...rows.map(([key, text]) => {
      const row = element('<div><dt></dt><dd></dd></div>');
      row.firstChild.textContent = t(key);
      row.lastChild.textContent = meaning ? text(meaning) : '–';
      return row;
    }));
  }

  /** The parameters are not possible: say why, and offer what would help; the last picture stays. */
  refused({ message, fix, fields }) {
    this.quiet();
    const [field, value] = fix ? Object.entries(fix)[0] : [];
    const label = t('parameters.fix', { field: t(`parameters.field_${field}`), value });
    // the server names the fields as Python does, the panel as people do
    const text = message.replace(/\b[a-z]\w+\b/g, (name) => (this.fields[name] && name !== 'window' ? t(`parameters.field_${name}`) : name));
    this.offer('.sg-refusal', text, fix && { label, changes: fix });
    for (const name of fields ?? []) this.root.querySelector(`[data-field="${name}"]`)?.setAttribute('data-wrong', 'true');
  }

  offer(selector, text, mend) {
    const box = this.root.querySelector(selector);
    box.hidden = !text;
    box.querySelector('span').textContent = text;
    const button = box.querySelector('button');
    button.hidden = !mend;
    button.textContent = mend ? mend.label : '';
    button.onclick = () => applyParameters(mend.changes);
  }
}

/** Where a value lies on its slider: powers of two, a straight line, or an even ratio a step. */
function sliderScale(name, low, high) {
  if (POWERS_OF_TWO.has(name)) {
    const first = Math.log2(low);
    return {
      steps: Math.log2(high) - first,
      value: (step) => 2 ** (first + step),
      place: (value) => Math.round(Math.log2(value) - first),
    };
  }
  if (LINEAR.has(name)) {
    return { steps: high - low, value: (step) => low + step, place: (value) => value - low };
  }
  const shift = low > 0 ? 0 : 100; // a scale from 0 is straight at first
  const [a, b] = [Math.log(low + shift), Math.log(high + shift)];
  return {
    steps: SLIDER_STEPS,
    value: (step) => Math.round(Math.exp(a + ((b - a) * step) / SLIDER_STEPS) - shift),
    place: (value) => Math.round((SLIDER_STEPS * (Math.log(value + shift) - a)) / (b - a)),
  };
}
