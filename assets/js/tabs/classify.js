// The classify tab: the most likely classes of the open sound.

import { channelText } from '../core/channels.js';
import { ask, emit, state } from '../core/state.js';
import { mounting } from '../lib/component.js';
import { element, onResize, textElement } from '../lib/dom.js';
import { formatNumber, formatTime, t, tForPointer } from '../lib/i18n.js';
import { waveIcon } from '../lib/thumbnails.js';
import { answersOffer } from '../player/reading_offers.js';
import { retryButton, retryHelps } from '../widgets/retry_button.js';
import { OneRequest } from './one_request.js';
import { predictionBox } from './verdict.js';

class Classify extends OneRequest {
  /** @type {any} the shown reply */
  reply = null;

  constructor(host, context) {
    super(host, 'classify', context);
    onResize(context.root, () => this.requestOnce(), this.signal); // a tab that opens gains a size
    this.offer = answersOffer(this.signal);
    this.onValue(context, (reply) => { // the second reply of a request
      if (reply?.channels && reply.turn === this.turn - 1) emit('channel_answers', reply); // of the reply that is shown
    });
    const empty = element('<div class="sg-empty"><p class="sg-strong" data-t="classify.empty"></p></div>');
    empty.prepend(waveIcon());
    empty.append(textElement('p', tForPointer('viewer.empty_hint'), 'sg-small'));
    host.replaceChildren(empty);
  }

  again() {
    if (this.reply?.sound === state.sound?.id) emit('classified', { ...this.reply, asked: state.asked });
  }

  showWait() {
    emit('channel_answers', null);
    const wait = textElement('p', t('classify.wait'), 'sg-wait');
    this.host.replaceChildren(wait);
    return wait;
  }

  show(reply) {
    if (!reply.error) {
      const channel = textElement('p', channelText(state.sound), 'sg-channel-said');
      this.host.replaceChildren(...intervalLine(reply), channel, predictionBox(reply), this.offer);
      this.reply = reply;
      this.again();
      return;
    }
    const parts = [textElement('p', reply.error, 'sg-error')];
    if (reply.off) parts.unshift(textElement('p', t('classify.no_model'), 'sg-big'));
    if (reply.off) parts.push(textElement('p', t('classify.no_model_rest')));
    this.host.replaceChildren(...parts, ...(retryHelps(reply) ? [retryButton(() => this.send())] : []));
  }
}

/** What the prediction is about, where that is not the sound's first clip, and the way back. */
function intervalLine({ interval, fit, clip_seconds: clip }) {
  if (!interval) return [];
  const [start, end] = interval;
  const values = { start: formatTime(start), end: formatTime(end), seconds: formatNumber(clip) };
  const line = element('<div class="sg-asked"><h3></h3><button type="button" class="sg-button" data-t="classify.first_clip"></button></div>');
  line.firstChild.textContent = t(`classify.interval_${fit}`, values);
  line.lastChild.addEventListener('click', () => ask(null));
  return [line];
}

export const mount = mounting('.sg-classify', Classify);
