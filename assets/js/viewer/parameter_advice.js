// The parameter coach's notes: where a choice of parameters misleads, each with a click that fixes it.

import { events, state } from '../core/state.js';
import { element } from '../lib/dom.js';
import { formatNumber, t } from '../lib/i18n.js';

const MOST = 3; // the gravest; the next ones come when these are fixed
const percent = (share) => formatNumber(100 * share);
// the numbers of each sentence, as its words in esc/ui/words/coach.py name them
const BLANKS = {
  gaps: ({ share }) => ({ share: percent(share) }),
  thin: ({ loss_db: loss }) => (loss === null ? {} : { loss: formatNumber(loss) }), // null: not seen at all
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

/** The notes of one panel: `config()` gives the parameters, `fit(fix)` what of a fix concerns the panel's view. */
export class Notes {
  constructor(root, { config, fit, apply, longest }) {
    Object.assign(this, { root, config, fit, apply, longest });
    [this.advice, this.meaning] = [[], null];
    events.addEventListener('selection', () => this.draw());
    // nothing moves under a hand that holds a slider
    document.addEventListener('pointerup', () => { if (this.waiting) this.draw(); });
  }

  show({ advice, meaning }) {
    [this.advice, this.meaning] = [advice, meaning];
    const held = document.querySelector('.sg-side input[type=range]:active');
    if (held) this.waiting = true;
    else this.draw();
  }

  draw() {
    this.waiting = false;
    const apart = this.apart();
    this.root.replaceChildren(...[...(apart ? [apart] : []), ...this.advice].slice(0, MOST).map((one) => this.note(one)));
  }

  /** Tones that were selected together and lie closer than the window can part. */
  apart() {
    const { low_hz: low, high_hz: high } = state.selection ?? {};
    if (!this.meaning || !high || high - low >= this.meaning.resolution_hz) return null;
    const { win_length: length, n_fft: size } = this.config();
    const longer = Math.ceil((length * this.meaning.resolution_hz) / (high - low));
    const fix = longer <= this.longest ? { win_length: longer, n_fft: Math.max(size, 2 ** Math.ceil(Math.log2(longer))) } : null;
    return { key: 'apart', grave: true, values: { span: high - low, resolution_hz: this.meaning.resolution_hz }, fix };
  }

  note({ key, grave, values, fix }) {
    const note = element('<p class="sg-note"><span></span> <button type="button" class="sg-link"></button></p>');
    note.dataset.note = key;
    note.toggleAttribute('data-grave', grave);
    note.querySelector('span').textContent = t(values.loss_db === null ? 'parameter_advice.note_unseen' : `parameter_advice.note_${key}`, BLANKS[key](values));
    const button = note.querySelector('button');
    button.hidden = !fix;
    if (fix) {
      const changes = this.fit(fix);
      button.textContent = this.label(key, values, changes);
      button.addEventListener('click', () => this.apply(changes));
    }
    return note;
  }

  label(key, values, fix) {
    if (key === 'rate') return t('parameter_advice.rate_use', BLANKS.rate(values));
    const now = this.config();
    const changes = Object.entries(fix).filter(([name, value]) => now[name] !== value) // what is so already goes unsaid
      .map(([name, value]) => `${t(`parameters.field_${name}`)} = ${formatNumber(value)}`);
    return t('parameter_advice.fix', { changes: changes.join(', ') });
  }
}
