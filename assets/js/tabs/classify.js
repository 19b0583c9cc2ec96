// The classify tab: asks once the tab is on screen and a sound is open, shows the likeliest classes.

import { token } from '../core/rpc.js';
import { emit, events, state } from '../core/state.js';
import { element } from '../lib/dom.js';
import { tForPointer, messagesReady, t } from '../lib/i18n.js';
import { retryButton, offerRetryLater } from '../widgets/retry_button.js';
import { waveIcon } from '../lib/thumbnails.js';
import { verdictOf } from './verdict.js';

export async function mount(root, { trigger, watch, props }) {
  await messagesReady;
  const host = root.querySelector('.sg-classify');
  let asked = null;
  let turn = Date.now(); // counts questions: an answer to another one, or a second answer, is passed over
  const visible = () => host.offsetParent !== null;
  const askOnce = () => {
    if (!state.sound || !visible() || asked === state.sound.id) return;
    asked = state.sound.id;
    turn += 1;
    send();
  };
  const send = () => {
    const wait = note('sg-wait', t('classify.wait'));
    offerRetryLater(wait, send); // the same question: whichever answer comes first counts
    host.replaceChildren(wait);
    trigger('classify', { token: token(), sound: state.sound.id, turn });
  };
  const draw = () => {
    const answer = props.value;
    if (!answer || answer.turn !== turn || answer.sound !== state.sound?.id) return; // another sound was opened meanwhile
    if (answer.error) {
      const head = answer.off ? [note('sg-big', t('classify.no_model'))] : [];
      const tail = answer.off ? [note('', t('classify.no_model_rest'))] : [];
      host.replaceChildren(...head, note('sg-wrong', answer.error), ...tail, retryButton(send));
    } else {
      turn += 1;
      host.replaceChildren(verdictOf(answer));
      emit('classified', answer);
    }
  };
  watch('value', draw);
  events.addEventListener('sound', askOnce);
  new ResizeObserver(askOnce).observe(root); // a tab that opens gains a size
  const empty = element('<div class="sg-empty"></div>');
  empty.append(waveIcon(), note('sg-strong', t('classify.empty')), note('sg-small', tForPointer('viewer.empty_hint')));
  host.replaceChildren(empty);
}

function note(name, text) {
  const paragraph = element(`<p class="${name}"></p>`);
  paragraph.textContent = text;
  return paragraph;
}
