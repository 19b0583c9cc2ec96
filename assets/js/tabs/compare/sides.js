// The switch between A and B while the sound goes on, both as loud.

import { request } from '../../core/rpc.js';
import { state } from '../../core/state.js';
import { element } from '../../lib/dom.js';
import { formatNumber, t } from '../../lib/i18n.js';
import { Alternation } from './alternation.js';

const LEAST_DB = 0.05; // a smaller difference is not named

export class Sides {
  /** @type {Map<string, number | null>} LUFS by a sound's id */
  loudness = new Map();

  /** @param {any} tab */
  constructor(tab) {
    this.tab = tab;
    this.alternation = new Alternation(tab.server, tab.signal);
    this.buttons = ['a', 'b'].map((side) => {
      const button = element(`<button type="button" class="sg-tool" data-side="${side}" data-tip="compare.side_${side}"></button>`);
      button.textContent = side.toUpperCase();
      button.addEventListener('click', () => this.choose(side));
      return button;
    });
    tab.find('.sg-sides').append(...this.buttons);
    this.match = tab.find('.sg-match');
    this.match.addEventListener('change', () => this.show());
  }

  /** Play A or B from now on, at the same time. */
  choose(side) {
    if (this.active) this.alternation.change({ side });
    this.show();
  }

  toggle() {
    this.choose(this.alternation.side === 'a' ? 'b' : 'a');
  }

  /** Whether there are two sounds to switch between, and the tab is open. */
  get active() {
    return this.tab.onScreen && Boolean(this.tab.other.sound && state.sound);
  }

  /** Show which is audible, and what makes both as loud. */
  async show() {
    const { active, alternation, tab: { other: { sound } } } = this;
    if (sound) alternation.load(sound);
    alternation.change({ active, offset: this.tab.offset.seconds });
    for (const button of this.buttons) {
      button.disabled = !active;
      button.setAttribute('aria-pressed', String(active && button.dataset.side === alternation.side));
    }
    this.match.disabled = !active;
    const gainDb = active && this.match.checked ? await this.gain() : 0;
    if (this.tab.signal.aborted || gainDb === null) return;
    alternation.change({ gainDb });
    const softer = { which: gainDb > 0 ? 'A' : 'B', level: formatNumber(-Math.abs(gainDb), 1) };
    this.tab.find('.sg-matched').textContent = active && Math.abs(gainDb) >= LEAST_DB ? t('compare.softer', softer) : '';
  }

  /** A's loudness less that of B in dB, 0 where one is silent; null if a sound was replaced meanwhile. */
  async gain() {
    const ids = () => [state.sound?.id, this.tab.other.sound?.id].join();
    const asked = ids();
    try {
      const [a, b] = await Promise.all(asked.split(',').map((sound) => this.lufs(sound)));
      if (ids() !== asked) return null;
      return a === null || b === null ? 0 : a - b;
    } catch (error) {
      console.info(error.message); // the views report it, too
      return null;
    }
  }

  async lufs(sound) {
    if (!this.loudness.has(sound)) this.loudness.set(sound, (await request(this.tab.server.compare_loudness, { sound })).lufs);
    return this.loudness.get(sound);
  }
}
