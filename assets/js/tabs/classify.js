// The classify tab: the most likely classes of the open sound.

import { channelText } from '../core/channels.js';
import { emit, state } from '../core/state.js';
import { mounting } from '../lib/component.js';
import { element, onResize, textElement } from '../lib/dom.js';
import { t, tForPointer } from '../lib/i18n.js';
import { waveIcon } from '../lib/thumbnails.js';
import { answersOffer } from '../player/channel_offer.js';
import { retryButton } from '../widgets/retry_button.js';
import { OneRequest } from './one_request.js';
import { predictionBox } from './verdict.js';

class Classify extends OneRequest {
  constructor(host, context) {
    super(host, 'classify', context);
    onResize(context.root, () => this.requestOnce(), this.signal); // a tab that opens gains a size
    this.offer = answersOffer(this.signal);
    this.onValue(context, (reply) => { // the second reply of a request
      if (reply?.channels && reply.sound === state.sound?.id) emit('channel_answers', reply);
    });
    const empty = element('<div class="sg-empty"><p class="sg-strong" data-t="classify.empty"></p></div>');
    empty.prepend(waveIcon());
    empty.append(textElement('p', tForPointer('viewer.empty_hint'), 'sg-small'));
    host.replaceChildren(empty);
  }

  showWait() {
    const wait = textElement('p', t('classify.wait'), 'sg-wait');
    this.host.replaceChildren(wait);
    return wait;
  }

  show(reply) {
    if (!reply.error) {
      this.host.replaceChildren(textElement('p', channelText(state.sound), 'sg-channel-said'), predictionBox(reply), this.offer);
      emit('classified', reply);
      return;
    }
    const parts = [textElement('p', reply.error, 'sg-error')];
    if (reply.off) parts.unshift(textElement('p', t('classify.no_model'), 'sg-big'));
    if (reply.off) parts.push(textElement('p', t('classify.no_model_rest')));
    this.host.replaceChildren(...parts, retryButton(() => this.send()));
  }
}

export const mount = mounting('.sg-classify', Classify);
