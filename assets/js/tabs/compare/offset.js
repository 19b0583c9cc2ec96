// The time of A at which B begins: typed, dragged, moved by arrow keys, or found by cross-correlation.

import { request } from '../../core/rpc.js';
import { showMessage, state } from '../../core/state.js';
import { find, onDrag } from '../../lib/dom.js';
import { formatNumber, formatTime, t } from '../../lib/i18n.js';
import { parameters } from '../../viewer/parameters.js';

const STEP_S = { fine: 0.01, coarse: 0.1 }; // by arrow keys
const LONGER_S = 0.05; // B goes on after A by at least this much
const ALIKE = 0.3; // a smaller correlation says little about the offset

export class Offset {
  seconds = 0;

  /** @param {any} tab */
  constructor(tab) {
    this.tab = tab;
    this.input = tab.find('.sg-offset');
    this.button = tab.find('.sg-align');
    this.input.addEventListener('change', () => this.set(Number(this.input.value || NaN)));
    this.button.addEventListener('click', () => this.align());
    this.longer = tab.find('.sg-longer');
    find(this.longer, 'button').addEventListener('click', () => {
      const [a, b] = [state.sound.seconds, this.tab.second.seconds];
      this.set(Math.max(this.seconds - a, a - b));
      if (this.longer.hidden) this.input.focus(); // its button had the focus
    });
  }

  /** From where B ends at A's start to where it begins at A's end. */
  range() {
    return [-this.tab.second.seconds, state.sound.seconds];
  }

  possible(seconds) {
    const [low, high] = this.range();
    return Math.min(Math.max(seconds, low), high);
  }

  /** Set it, and refuse one without an overlap. */
  set(seconds) {
    const refused = state.sound ? this.possible(seconds) !== seconds : seconds !== 0;
    if (!refused) this.seconds = Number(seconds.toFixed(4));
    this.input.value = String(this.seconds);
    this.tab.showError(refused && state.sound ? this.refusal() : '');
    if (!refused) this.tab.onOffset();
  }

  refusal() {
    const [low, high] = this.range().map((value) => formatNumber(value, 3));
    return t('compare.offset_range', { low, high });
  }

  async align() {
    const { id: sound } = state.sound;
    const other = this.tab.second;
    this.button.disabled = true;
    try {
      const query = { sound, other: other.id, sample_rate: parameters.values.sample_rate };
      const { offset, correlation } = await request(this.tab.server.compare_align, query);
      if (this.tab.signal.aborted || state.sound.id !== sound || this.tab.second.id !== other.id) return;
      const alike = correlation >= ALIKE;
      if (alike) this.set(this.possible(offset));
      const found = { offset: formatNumber(offset, 3), correlation: formatNumber(correlation, 2) };
      this.tab.showError(alike ? '' : t('compare.unlike', found));
      if (alike) showMessage(t('compare.aligned', found), 'note');
    } catch (error) {
      if (!this.tab.signal.aborted) this.tab.showError(error.message);
    } finally {
      if (!this.tab.signal.aborted) this.tab.showSides();
    }
  }

  /** Make B's title a handle for it. */
  wireHandle(title, pane) {
    title.tabIndex = 0;
    title.setAttribute('role', 'slider');
    title.setAttribute('aria-label', t('compare.shift'));
    title.title = t('compare.shift_hint');
    const step = (pixels) => (pixels / pane.area().width) * (state.visible.end - state.visible.start);
    onDrag(title, (event) => {
      event.stopPropagation(); // the plot would be moved
      return { x: event.clientX, from: this.seconds };
    }, ({ clientX }, { x, from }) => this.set(this.possible(from + step(clientX - x))));
    title.addEventListener('keydown', (event) => {
      const way = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (!way || !state.sound) return;
      event.preventDefault();
      this.set(this.possible(this.seconds + way * (event.shiftKey ? STEP_S.coarse : STEP_S.fine)));
    });
  }

  /** Say that B goes on after A's end, where the time axis ends. */
  showLonger() {
    const [a, b] = [state.sound.seconds + LONGER_S, this.tab.second.seconds];
    this.longer.hidden = b < a || this.seconds + b < a;
    find(this.longer, 'span').textContent = t('compare.longer', { end: formatTime(b, b < 60 ? 2 : 0) });
  }

  text() {
    return `${this.seconds > 0 ? '+' : ''}${formatNumber(this.seconds, 3)} ${t('page.unit_s')}`;
  }

  /** Write the handle's state for screen readers. */
  describe(title) {
    const [low, high] = this.range();
    for (const [name, value] of Object.entries({ valuemin: low, valuemax: high, valuenow: this.seconds })) {
      title.setAttribute(`aria-${name}`, value.toFixed(3));
    }
    title.setAttribute('aria-valuetext', this.text());
  }
}
