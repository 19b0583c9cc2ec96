// Advice on parameters that mislead, each with a button that fixes it.

import { state } from '../core/state.js';
import { element, find } from '../lib/dom.js';
import { formatNumber, t } from '../lib/i18n.js';

const MOST = 3; // at a time, the gravest first
const percent = (share) => formatNumber(100 * share);
// the placeholders of each message
const BLANKS = {
  gaps: ({ share }) => ({ share: percent(share) }),
  thin: ({ loss_db: loss }) => (loss === null ? {} : { loss: formatNumber(loss) }), // null: some of the sound is in no window
  long: ({ window_ms: window, sound_ms: sound }) => ({ window: formatNumber(window), sound: formatNumber(sound) }),
  top: ({ own_hz: own, share }) => ({ own: formatNumber(own), share: percent(share) }),
  rate: ({ top_hz: top, own_hz: own }) => ({ top: formatNumber(top), own: formatNumber(own) }),
  empty: ({ bands, bin_hz: bin }) => ({
    count: bands.length, bin: formatNumber(bin, 1),
    bands: bands.slice(0, 6).map((band) => band + 1).join(', ') + (bands.length > 6 ? ', …' : ''),
  }),
  deep: ({ share, top_db: depth }) => ({ share: percent(share), depth: formatNumber(depth) }),
  padding: ({ bin_hz: bin, resolution_hz: hz }) => ({ bin: formatNumber(bin, 1), hz: formatNumber(hz, 1) }),
  apart: ({ span, resolution_hz: hz }) => ({ span: formatNumber(span, 1), hz: formatNumber(hz, 1) }),
};

/** Advice of one panel. */
export class Advice {
  advice = [];
  meaning = null; // what the server derived from the parameters
  waiting = false;

  constructor(root, panel) {
    this.root = root;
    this.panel = panel;
    panel.viewer.onState('selection', () => this.draw());
    document.addEventListener('pointerup', () => { if (this.waiting) this.draw(); }, { signal: panel.viewer.signal });
  }

  show(advice, meaning) {
    [this.advice, this.meaning] = [advice, meaning];
    // the panel must not move while one of its sliders is held
    this.waiting = Boolean(document.querySelector('.sg-side input[type=range]:active'));
    if (!this.waiting) this.draw();
  }

  draw() {
    this.waiting = false;
    const all = [this.unresolved(), ...this.advice].filter(Boolean);
    this.root.replaceChildren(...all.slice(0, MOST).map((advice) => this.note(advice)));
  }

  /** Advice on a selection that is narrower than the frequency resolution. */
  unresolved() {
    const { low_hz: low, high_hz: high } = state.selection ?? {};
    if (!this.meaning || !high || high - low >= this.meaning.resolution_hz) return null;
    const { win_length: length, n_fft: size } = this.panel.current();
    const longer = Math.ceil((length * this.meaning.resolution_hz) / (high - low));
    const possible = longer <= this.panel.spec.limits.n_fft[1];
    const fix = possible ? { win_length: longer, n_fft: Math.max(size, 2 ** Math.ceil(Math.log2(longer))) } : null;
    return { key: 'apart', grave: true, values: { span: high - low, resolution_hz: this.meaning.resolution_hz }, fix };
  }

  note({ key, grave, values, fix }) {
    const note = element(`<p class="sg-note" data-note="${key}"><span></span> <button type="button" class="sg-link"></button></p>`);
    note.toggleAttribute('data-grave', grave);
    const text = values.loss_db === null ? 'parameter_advice.note_unseen' : `parameter_advice.note_${key}`;
    find(note, 'span').textContent = t(text, BLANKS[key](values));
    const button = find(note, 'button');
    button.hidden = !fix;
    if (fix) {
      const changes = this.panel.relevant(fix);
      button.textContent = this.label(key, values, changes);
      button.addEventListener('click', () => this.panel.apply(changes));
    }
    return note;
  }

  label(key, values, fix) {
    if (key === 'rate') return t('parameter_advice.rate_use', BLANKS.rate(values));
    const now = this.panel.current();
    const changes = Object.entries(fix).filter(([name, value]) => now[name] !== value)
      .map(([name, value]) => `${t(`parameters.field_${name}`)} = ${formatNumber(value)}`);
    return t('parameter_advice.fix', { changes: changes.join(', ') });
  }
}
