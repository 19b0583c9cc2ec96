// The parameter panel: presets, a slider and a number for each, what they mean together, and mends for what can't be.

import { element, number, word } from './session.js';

// name, unit, decimals; all but the first two lists are sliders over a geometric scale
const NUMBERS = [
  ['n_fft', 'samples'], ['win_length', 'samples'], ['hop_length', 'samples'], ['n_mels', 'bands'],
  ['fmin', 'hz'], ['fmax', 'hz'], ['top_db', 'db'],
];
const RATES = [8000, 11025, 16000, 22050, 32000, 44100, 48000, 96000, 192000];
const SLIDER_STEPS = 1000;
const TYPING_MS = 350;
const POWERS_OF_TWO = new Set(['n_fft']);
const LINEAR = new Set(['top_db', 'n_mels']);

/** Build the panel in `root` and the cards of what the parameters mean in `together`; `changed()` follows each edit. */
export function parameterPanel(root, together, spec, changed) {
  const panel = new Panel(root, together, spec, changed);
  panel.choose('librosa');
  return panel;
}

class Panel {
  constructor(root, together, spec, changed) {
    this.spec = spec;
    this.changed = changed;
    this.fields = {};
    this.kept = {};
    root.innerHTML = `
      <details class="sg-params" open>
        <summary></summary>
        <label class="sg-preset"><span></span><select></select></label>
        <div class="sg-refusal" role="alert" hidden><span></span><button type="button" class="sg-link"></button></div>
        <div class="sg-empties" role="status" hidden><span></span><button type="button" class="sg-link"></button></div>
        <div class="sg-fields"></div>
      </details>`;
    root.querySelector('summary').textContent = word('parameters');
    root.querySelector('.sg-preset span').textContent = word('preset');
    together.innerHTML = '<h3></h3><dl></dl>';
    together.querySelector('h3').textContent = word('together');
    this.meaning = together.querySelector('dl');
    this.root = root;
    this.preset = root.querySelector('.sg-preset select');
    for (const name of [...Object.keys(spec.presets), 'own']) this.preset.append(new Option(word(`preset_${name}`), name));
    this.preset.options[this.preset.options.length - 1].disabled = true;
    this.preset.addEventListener('change', () => { this.choose(this.preset.value); this.changed(); });
    this.build(root.querySelector('.sg-fields'));
    this.showMeaning(null);
    if (window.matchMedia('(max-width: 900px)').matches) root.querySelector('details').open = false;
  }

  build(place) {
    this.addSelect(place, 'sample_rate', RATES.map((rate) => [rate, `${number(rate)} ${word('unit_hz')}`]), Number);
    for (const [name, unit] of NUMBERS) this.addNumber(place, name, unit);
    this.addSelect(place, 'window', this.spec.windows.map((window) => [window, window]), String);
  }

  row(place, name, control) {
    const row = element(`<div class="sg-field" data-field="${name}"><label for="sg-${name}"></label><div></div><small id="sg-hint-${name}"></small></div>`);
    row.querySelector('label').textContent = word(`p_${name}`);
    row.querySelector('small').textContent = word(`h_${name}`);
    row.querySelector('div').append(...control);
    place.append(row);
  }

  addSelect(place, name, options, type) {
    const select = element(`<select id="sg-${name}" aria-describedby="sg-hint-${name}"></select>`);
    for (const [value, text] of options) select.append(new Option(text, value));
    select.addEventListener('change', () => this.edit(name, type(select.value)));
    this.row(place, name, [select]);
    this.fields[name] = { write: (value) => { select.value = value; } };
  }

  addNumber(place, name, unit) {
    const [low, high] = this.spec.limits[name];
    // a slider ends where nothing more is possible; the number box takes any value and hears why not
    const tops = { fmin: () => this.kept.sample_rate / 2, fmax: () => this.kept.sample_rate / 2, win_length: () => this.kept.n_fft };
    const scale = () => sliderScale(name, low, Math.min(high, Math.max(2 * low + 1, tops[name]?.() ?? high)));
    const slider = element(`<input type="range" min="0" step="1" aria-describedby="sg-hint-${name}">`);
    slider.setAttribute('aria-label', word(`p_${name}`));
    const box = element(`<input type="number" id="sg-${name}" min="${low}" max="${high}" step="any" inputmode="decimal">`);
    const label = element('<span class="sg-unit"></span>');
    label.textContent = word(`unit_${unit}`);
    let typing = 0;
    const typed = () => {
      clearTimeout(typing);
      if (box.value !== '' && Number(box.value) !== this.kept[name]) this.edit(name, Number(box.value), box);
    };
    slider.addEventListener('input', () => this.edit(name, scale().value(Number(slider.value))));
    box.addEventListener('input', () => {
      clearTimeout(typing);
      typing = setTimeout(typed, TYPING_MS); // 2048 is not first a 2
    });
    box.addEventListener('change', () => {
      typed();
      this.fields[name].write(this.kept[name]);
    });
    this.row(place, name, [slider, box, label]);
    this.fields[name] = {
      write: (value, except) => {
        const { steps, place: at } = scale();
        slider.max = steps;
        slider.value = Math.min(steps, Math.max(0, at(Math.max(value, low))));
        slider.setAttribute('aria-valuetext', `${number(value)} ${label.textContent}`);
        if (except !== box) box.value = value;
      },
    };
  }

  choose(name) {
    this.kept = { ...this.spec.presets[name] };
    for (const [field, { write }] of Object.entries(this.fields)) write(this.kept[field]);
    this.preset.value = name;
    this.quiet();
  }

  edit(name, value, from) {
    // a window as long as the transform stays so, as in librosa's defaults
    const follows = name === 'n_fft' && this.kept.win_length === this.kept.n_fft;
    // a band that reaches to the top stays at the top when the rate changes
    const atTop = name === 'sample_rate' && this.kept.fmax === this.kept.sample_rate / 2;
    this.kept[name] = value;
    for (const [field, { write }] of Object.entries(this.fields)) write(this.kept[field], field === name ? from : undefined);
    if (follows) this.set('win_length', value);
    if (atTop) this.set('fmax', value / 2);
    this.namePreset();
    this.changed();
  }

  set(name, value) {
    this.kept[name] = value;
    this.fields[name].write(value);
  }

  apply(changes) {
    for (const [name, value] of Object.entries(changes)) this.set(name, value);
    this.namePreset();
    this.changed();
  }

  namePreset() {
    const same = (preset) => Object.entries(preset).every(([key, value]) => this.kept[key] === value);
    this.preset.value = Object.entries(this.spec.presets).find(([, preset]) => same(preset))?.[0] ?? 'own';
  }

  values() {
    return { ...this.kept };
  }

  quiet() {
    this.root.querySelector('.sg-refusal').hidden = true;
    for (const row of this.root.querySelectorAll('.sg-field[data-wrong]')) row.removeAttribute('data-wrong');
  }

  /** The server drew a picture with these parameters: show what they mean and name empty bands. */
  accepted({ meaning, empty_bands: empty, mended }) {
    this.quiet();
    this.showMeaning(meaning);
    const bands = empty.slice(0, 6).map((band) => band + 1).join(', ') + (empty.length > 6 ? ', …' : '');
    const text = word('empty_bands', { count: empty.length, bands, bin: number(meaning.bin_hz, 1) });
    const larger = mended && mended.n_fft !== this.kept.n_fft;
    this.offer('.sg-empties', empty.length ? text : '', mended && {
      label: word(larger ? 'mend_bands_fft' : 'mend_bands', mended),
      changes: mended,
    });
  }

  showMeaning(meaning) {
    const [hz, ms] = [word('unit_hz'), word('unit_ms')];
    const rows = [
      ['m_window_ms', (m) => `${number(m.window_ms, 1)} ${ms}`],
      ['m_hop_ms', (m) => `${number(m.hop_ms, 1)} ${ms}`],
      ['m_bin_hz', (m) => `${number(m.bin_hz, 1)} ${hz}`],
      ['m_resolution_hz', (m) => `${number(m.resolution_hz, 1)} ${hz}`],
      ['m_overlap', (m) => `${number(100 * m.overlap)} %`],
      ['m_frames', (m) => number(m.frames)],
    ];
    this.meaning.replaceChildren(...rows.map(([key, text]) => {
      const row = element('<div><dt></dt><dd></dd></div>');
      row.firstChild.textContent = word(key);
      row.lastChild.textContent = meaning ? text(meaning) : '–';
      return row;
    }));
  }

  /** The parameters are not possible: say why, and offer what would help; the last picture stays. */
  refused({ message, mend, fields }) {
    this.quiet();
    const [field, value] = mend ? Object.entries(mend)[0] : [];
    const label = word('mend_to', { field: word(`p_${field}`), value });
    // the server names the fields as Python does, the panel as people do
    const text = message.replace(/\b[a-z]\w+\b/g, (name) => (this.fields[name] && name !== 'window' ? word(`p_${name}`) : name));
    this.offer('.sg-refusal', text, mend && { label, changes: mend });
    for (const name of fields ?? []) this.root.querySelector(`[data-field="${name}"]`)?.setAttribute('data-wrong', 'true');
  }

  offer(selector, text, mend) {
    const box = this.root.querySelector(selector);
    box.hidden = !text;
    box.querySelector('span').textContent = text;
    const button = box.querySelector('button');
    button.hidden = !mend;
    button.textContent = mend?.label ?? '';
    button.onclick = () => this.apply(mend.changes);
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
