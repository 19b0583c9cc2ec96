// The classify tab: asks once the tab is on screen and a sound is open, shows the likeliest classes.

import { announce, element, events, handWord, learned, state, word } from './session.js';
import { waveIcon } from './stills.js';
import { verdictOf } from './verdict.js';

export async function mount(root, { trigger, watch, props }) {
  await learned;
  const host = root.querySelector('.sg-classify');
  let asked = null;
  let turn = Date.now(); // counts questions: an answer to an older one is passed over
  const visible = () => host.offsetParent !== null;
  const ask = () => {
    if (!state.sound || !visible() || asked === state.sound.id) return;
    asked = state.sound.id;
    host.replaceChildren(note('sg-wait', word('listening')));
    trigger('classify', { token: state.token, sound: state.sound.id, turn: ++turn });
  };
  const draw = () => {
    const answer = props.value;
    if (!answer || answer.turn !== turn || answer.sound !== state.sound?.id) return; // another sound was opened meanwhile
    if (answer.error) {
      const retry = element('<button type="button" class="sg-button"></button>');
      retry.textContent = word('again');
      retry.addEventListener('click', () => { asked = null; ask(); });
      const head = answer.off ? [note('sg-big', word('no_model'))] : [];
      const tail = answer.off ? [note('', word('no_model_rest'))] : [];
      host.replaceChildren(...head, note('sg-wrong', answer.error), ...tail, retry);
    } else {
      host.replaceChildren(verdictOf(answer, (label) => props.classes[state.language][label] ?? label));
      announce('answered', answer);
    }
  };
  watch('value', draw);
  events.addEventListener('sound', ask);
  new ResizeObserver(ask).observe(root); // a tab that opens gains a size
  const empty = element('<div class="sg-empty"></div>');
  empty.append(waveIcon(), note('sg-strong', word('empty_classify')), note('sg-small', handWord('empty_hint')));
  host.replaceChildren(empty);
}

function note(name, text) {
  const paragraph = element(`<p class="${name}"></p>`);
  paragraph.textContent = text;
  return paragraph;
}
