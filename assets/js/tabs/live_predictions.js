// What the network says of the last seconds, once a second: a headline and the five likeliest, moving calmly.

import { element } from '../lib/dom.js';
import { className, formatNumber, t } from '../lib/i18n.js';

const MOVE_MS = 500;
const SAY_MS = 5000; // between two announcements to a screen reader
const LATE_MS = 4000; // then the answer is called an old one

export class LivePredictions {
  constructor(host) {
    host.innerHTML = `<p class="sg-live-head"></p><p class="sg-big"></p><ol class="sg-bars"></ol>
      <p class="sg-small sg-late" hidden></p><p class="sg-small sg-meaning"></p><p class="sg-unseen" role="status"></p>`;
    const find = (selector) => host.querySelector(selector);
    [this.head, this.big, this.list, this.late, this.meaning, this.status] =
      ['.sg-live-head', '.sg-big', 'ol', '.sg-late', '.sg-meaning', '[role=status]'].map(find);
    this.host = host;
    this.still = window.matchMedia('(prefers-reduced-motion: reduce)');
    this.begin();
  }

  /** Empty: `text` says what for. */
  begin(text = t('live.classes_empty')) {
    this.answeredAt = Infinity;
    this.said = null;
    this.saidAt = -Infinity;
    this.host.dataset.state = 'empty';
    this.head.textContent = text;
    this.big.textContent = this.meaning.textContent = this.status.textContent = '';
    this.list.replaceChildren();
    this.late.hidden = true;
  }

  /** The server can't say: its sentence; `off`: the classifier as such. */
  refuse(text, off) {
    this.begin(text);
    this.host.dataset.state = 'refused';
    if (off) {
      this.head.textContent = `${t('classify.no_model')} ${text}`;
      this.meaning.textContent = t('classify.no_model_rest');
    }
  }

  draw(answer, now) {
    this.answeredAt = now;
    this.late.hidden = true;
    const silent = !answer.top.length;
    const known = !silent && answer.verdict === answer.top[0][0];
    this.host.dataset.state = silent ? 'silent' : known ? 'known' : 'unknown';
    this.head.textContent = t(known ? 'classify.most_like' : 'live.just_now');
    const headline = known ? className(answer.verdict) : silent ? t('page.silence') : t('classify.unknown', answer);
    this.big.textContent = headline;
    this.list.toggleAttribute('data-guesses', !known);
    this.list.setAttribute('aria-label', t(known ? 'classify.probabilities' : 'classify.nearest', { top: answer.top.length, count: answer.count }));
    this.move(answer.top);
    this.meaning.textContent = silent
      ? t('live.silence', answer)
      : known ? t(answer.calibrated ? 'live.calibrated' : 'live.plain', answer) : t('classify.unknown_why');
    this.tell(headline, now);
  }

  /** Rows go to their new places, bars to their new lengths. */
  move(top) {
    const before = new Map([...this.list.children].map((row) =>
      [row.dataset.label, { row, y: row.offsetTop, share: parseFloat(row.querySelector('b').style.width) }]));
    const rows = top.map(([label, probability]) => {
      const row = before.get(label)?.row ?? this.row(label);
      row.querySelector('b').style.width = `${(100 * probability).toFixed(1)}%`;
      row.lastChild.textContent = `${formatNumber(100 * probability, 1)} %`;
      return row;
    });
    this.list.replaceChildren(...rows);
    if (this.still.matches) return;
    const how = { duration: MOVE_MS, easing: 'ease-in-out' };
    for (const row of rows) {
      const old = before.get(row.dataset.label);
      if (!old) row.animate([{ opacity: 0 }, { opacity: 1 }], how);
      else if (old.y !== row.offsetTop) row.animate([{ transform: `translateY(${old.y - row.offsetTop}px)` }, { transform: 'none' }], how);
      const bar = row.querySelector('b');
      bar.animate([{ width: `${old?.share ?? 0}%` }, { width: bar.style.width }], how);
    }
  }

  row(label) {
    const row = element('<li><span></span><i><b></b></i><span></span></li>');
    row.dataset.label = label;
    row.querySelector('span').textContent = className(label);
    return row;
  }

  /** Tell a screen reader what is heard, when that changes and not too often. */
  tell(headline, now) {
    if (headline === this.said || now - this.saidAt < SAY_MS) return;
    [this.said, this.saidAt] = [headline, now];
    this.status.textContent = headline;
  }

  /** Say how old the answer is, where the server is slow. */
  age(now) {
    const late = now - this.answeredAt;
    if (!(late > LATE_MS)) return;
    this.late.hidden = false;
    const text = t('live.late', { seconds: formatNumber(late / 1000) });
    if (this.late.textContent !== text) this.late.textContent = text;
  }
}
