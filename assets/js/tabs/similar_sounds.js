// The most similar sounds, requested once the section scrolls into view: a card each that plays at a click.

import { events, onPlayhead, play } from '../core/state.js';
import { mounting } from '../lib/component.js';
import { decodeBase64, element, fileUrl, textElement } from '../lib/dom.js';
import { className, formatNumber, formatTime, t } from '../lib/i18n.js';
import { paintLevels } from '../lib/thumbnails.js';
import { clipPlayer } from '../player/clip_player.js';
import { retryButton, retryHelps } from '../widgets/retry_button.js';
import { OneRequest } from './one_request.js';

class SimilarSounds extends OneRequest {
  inView = false;
  /** @type {any} the card that plays */
  current = null;

  constructor(host, context) {
    super(host, 'similar_sounds', context);
    this.clip = clipPlayer(this.signal, () => this.stop());
    this.on(this.clip, 'ended', () => this.stop());
    onPlayhead((now) => {
      this.current?.style.setProperty('--position', `${(100 * now) / (this.clip.duration || Infinity)}%`);
    }, this.signal, this.clip);
    this.on(events, 'sound', () => {
      this.stop();
      host.hidden = false;
      if (!this.inView) this.fill();
    });
    this.on(events, 'asked', () => this.stop());
    const observer = new IntersectionObserver(([entry]) => {
      this.inView = entry.isIntersecting;
      this.requestOnce();
    });
    observer.observe(host);
    this.signal.addEventListener('abort', () => observer.disconnect());
  }

  get wanted() {
    return this.inView;
  }

  fill(...parts) {
    this.host.replaceChildren(textElement('h2', t('similar_sounds.title_examples')), ...parts);
  }

  showWait() {
    const wait = textElement('p', t('similar_sounds.looking'), 'sg-small');
    this.fill(wait);
    return wait;
  }

  show(reply) {
    this.host.hidden = Boolean(reply.off); // the classify tab says that the network is missing
    const again = reply.error && retryHelps(reply) ? [retryButton(() => this.send())] : [];
    if (reply.error) this.fill(textElement('p', reply.error, 'sg-error'), ...again);
    else this.host.replaceChildren(...this.results(reply));
  }

  results(reply) {
    const values = { ...reply, seconds: formatNumber(reply.clip_seconds) };
    const title = textElement('h2', t(reply.examples ? 'similar_sounds.title_examples' : 'similar_sounds.title_index', values));
    const note = (key) => textElement('p', t(key, values), 'sg-small');
    if (reply.interval) {
      const [start, end] = reply.interval.map((/** @type {number} */ time) => formatTime(time));
      title.textContent = `${title.textContent} · ${t('similar_sounds.interval', { start, end })}`;
    }
    if (reply.silent) return [title, note('similar_sounds.silent')];
    if (!reply.rows.length) return [title, note('similar_sounds.none')];
    const list = element('<ol class="sg-similar-list"></ol>');
    list.ariaLabel = title.textContent;
    for (const row of reply.rows) {
      const item = document.createElement('li');
      item.append(row.clip ? this.card(row) : missingCard(row));
      list.append(item);
    }
    return [title, list, note('similar_sounds.note')];
  }

  /** A thumbnail, a name and the similarity: a button that plays the sound. */
  card(row) {
    const button = element(`<button type="button" class="sg-similar-sound">
      <span class="sg-thumb"><canvas aria-hidden="true"></canvas><i class="sg-thumb-playhead"></i></span></button>`);
    paintLevels(button.querySelector('canvas'), { levels: decodeBase64(row.levels), rows: row.rows, columns: row.columns });
    button.append(...caption(row));
    const values = { name: rowName(row), similarity: formatNumber(row.similarity, 2) };
    button.show = (playing) => {
      button.ariaPressed = String(playing);
      button.ariaLabel = t(playing ? 'similar_sounds.stop' : 'similar_sounds.play', values);
    };
    button.show(false);
    button.addEventListener('click', () => this.toggle(button, fileUrl(row.clip)));
    return button;
  }

  stop() {
    this.clip.pause();
    this.current?.show(false);
    this.current?.style.removeProperty('--position');
    this.current = null;
  }

  async toggle(card, url) {
    const playing = this.current === card;
    this.stop();
    if (playing) return;
    this.current = card;
    card.show(true);
    this.clip.src = url;
    if (!await play(this.clip) && this.current === card) this.stop(); // no other card was clicked meanwhile
  }
}

function missingCard(row) {
  const box = element(`<div class="sg-similar-sound">
    <span class="sg-thumb"><p class="sg-small" data-t="similar_sounds.gone"></p></span></div>`);
  box.append(...caption(row));
  return box;
}

/** The display name of a row's class, or of its file. */
const rowName = ({ label, name }) => (label ? className(label) : name);

function caption(row) {
  const name = textElement('b', rowName(row));
  name.title = name.textContent;
  return [name, textElement('span', row.same ? t('similar_sounds.same') : formatNumber(row.similarity, 2), 'sg-small')];
}

export const mount = mounting('.sg-similar', SimilarSounds);
