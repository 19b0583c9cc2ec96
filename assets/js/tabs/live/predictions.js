// Predictions for the last seconds: a headline and the five most likely classes, moving smoothly.

import { element } from '../../lib/dom.js';
import { className, formatNumber, formatPercent, t } from '../../lib/i18n.js';
import { listName, verdictReason, verdictState, verdictText } from '../verdict.js';

const MOVE_MS = 500;
const ANNOUNCE_MS = 5000; // between two announcements to a screen reader
const LATE_MS = 4000; // then the age of the reply is shown

export class LivePredictions {
  constructor(host) {
    host.innerHTML = `<p class="sg-live-head"></p><p class="sg-big"></p><ol class="sg-bars"></ol>
      <p class="sg-small sg-late" hidden></p><p class="sg-small sg-meaning"></p><p class="sg-visually-hidden" role="status"></p>`;
    const [head, big, list, late, meaning, status] = host.children;
    this.parts = { head, big, list, late, meaning, status };
    this.host = host;
    this.still = window.matchMedia('(prefers-reduced-motion: reduce)');
    this.begin();
  }

  /** Empty the list, with a text instead. */
  begin(text = t('live.classes_empty')) {
    this.receivedAt = Infinity;
    this.announced = null;
    this.announcedAt = -Infinity;
    this.host.dataset.state = 'empty';
    this.parts.head.textContent = text;
    this.parts.big.textContent = this.parts.meaning.textContent = this.parts.status.textContent = '';
    this.parts.list.replaceChildren();
    this.parts.late.hidden = true;
  }

  /** Show an error.
   * @param {string} text
   * @param {boolean} off whether classification as such is not available
   */
  fail(text, off) {
    this.begin(text);
    this.host.dataset.state = 'refused';
    if (off) {
      this.parts.head.textContent = `${t('classify.no_model')} ${text}`;
      this.parts.meaning.textContent = t('classify.no_model_rest');
    }
  }

  /** @param {any} reply
   * @param {number} now
   * @param {string} [name] of the network, where there are two
   */
  draw(reply, now, name = '') {
    this.receivedAt = now;
    this.parts.late.hidden = true;
    const silent = !reply.top.length;
    const state = silent ? 'silent' : verdictState(reply);
    const known = state === 'known';
    this.host.dataset.state = state;
    this.parts.head.textContent = [name, t(known ? 'classify.most_like' : 'live.just_now')].filter(Boolean).join(' · ');
    this.parts.big.textContent = silent ? t('page.silence') : verdictText(reply);
    this.parts.list.toggleAttribute('data-guesses', !known);
    this.parts.list.setAttribute('aria-label', listName(reply, known));
    this.move(reply.top);
    this.parts.meaning.textContent = silent
      ? t('live.silence', reply)
      : known ? t(reply.calibrated ? 'live.calibrated' : 'live.plain', reply) : verdictReason(reply);
    this.announce([name, this.parts.big.textContent].filter(Boolean).join(': '), now);
  }

  /** Move rows to their new positions and bars to their new lengths. */
  move(top) {
    const before = new Map([...this.parts.list.children].map((row) =>
      [row.dataset.label, { row, y: row.offsetTop, width: row.querySelector('b').style.width }]));
    const rows = top.map(([label, probability]) => {
      const row = before.get(label)?.row ?? this.row(label);
      row.querySelector('b').style.width = `${(100 * probability).toFixed(1)}%`;
      row.lastChild.textContent = formatPercent(probability, 1);
      return row;
    });
    this.parts.list.replaceChildren(...rows);
    if (this.still.matches) return;
    const how = { duration: MOVE_MS, easing: 'ease-in-out' };
    for (const row of rows) {
      const old = before.get(row.dataset.label);
      if (!old) row.animate({ opacity: [0, 1] }, how);
      else if (old.y !== row.offsetTop) row.animate({ translate: [`0 ${old.y - row.offsetTop}px`, '0'] }, how);
      const bar = row.querySelector('b');
      bar.animate({ width: [old?.width ?? '0%', bar.style.width] }, how);
    }
  }

  row(label) {
    const row = element('<li><span></span><i><b></b></i><span></span></li>');
    row.dataset.label = label;
    row.querySelector('span').textContent = className(label);
    return row;
  }

  /** Announce a changed headline to screen readers, not too often. */
  announce(headline, now) {
    if (headline === this.announced || now - this.announcedAt < ANNOUNCE_MS) return;
    [this.announced, this.announcedAt] = [headline, now];
    this.parts.status.textContent = headline;
  }

  /** Show the age of the reply where the server is slow. */
  age(now) {
    const late = now - this.receivedAt;
    if (!(late > LATE_MS)) return;
    this.parts.late.hidden = false;
    const text = t('live.late', { seconds: formatNumber(late / 1000) });
    if (this.parts.late.textContent !== text) this.parts.late.textContent = text;
  }
}
