// The classify tab: asks once the tab is on screen and a sound is open, shows the likeliest classes and what was seen.

import { audio, bytesOf, clock, element, events, learned, number, state, word } from './session.js';
import { paintLevels, waveIcon } from './stills.js';
import { verdictOf } from './verdict.js';

export async function mount(root, { trigger, watch, props, files }) {
  await learned;
  const host = root.querySelector('.sg-classify');
  let asked = null;
  const visible = () => host.offsetParent !== null;
  const ask = () => {
    if (!state.sound || !visible() || asked === state.sound.id) return;
    asked = state.sound.id;
    host.replaceChildren(note('sg-wait', word('listening')));
    props.value = { token: state.token, sound: state.sound.id };
    trigger('classify');
  };
  const draw = () => {
    const answer = props.value;
    if (!answer || answer.token) return; // our own question
    if (answer.sound !== state.sound?.id) return; // another sound was opened meanwhile; its answer comes, too
    if (answer.error) {
      const retry = element('<button type="button" class="sg-button"></button>');
      retry.textContent = word('again');
      retry.addEventListener('click', () => { asked = null; ask(); });
      const head = answer.off ? [note('sg-big', word('no_model'))] : [];
      const tail = answer.off ? [note('', word('no_model_rest'))] : [];
      host.replaceChildren(...head, note('sg-wrong', answer.error), ...tail, retry);
    } else host.replaceChildren(...result(answer, props, files));
  };
  watch('value', draw);
  events.addEventListener('sound', ask);
  new ResizeObserver(ask).observe(root); // a tab that opens gains a size
  const empty = element('<div class="sg-empty"></div>');
  empty.append(waveIcon(), note('sg-strong', word('empty_classify')), note('sg-small', word('empty_hint')));
  host.replaceChildren(empty);
}

function note(name, text) {
  const paragraph = element(`<p class="${name}"></p>`);
  paragraph.textContent = text;
  return paragraph;
}

function result(answer, props, files) {
  const verdict = verdictOf(answer, (label) => props.classes[state.language][label] ?? label);
  return answer.top.length ? [verdict, given(answer, files)] : [verdict];
}

function given(answer, files) {
  const box = element('<div class="sg-given"><h3></h3><p></p><canvas></canvas><p class="sg-small"></p></div>');
  const [title, how] = [box.querySelector('h3'), box.querySelector('p')];
  title.textContent = word('given');
  const own = number(state.sound.seconds, 2);
  how.textContent = word(`given_${answer.fit}`, { seconds: number(answer.clip_seconds, 2), own });
  const canvas = box.querySelector('canvas');
  paintLevels(canvas, { levels: bytesOf(answer.levels), rows: answer.rows, columns: answer.columns });
  canvas.setAttribute('role', 'img');
  canvas.setAttribute('aria-label', word('picture_saw', { rows: answer.rows, columns: answer.columns }));
  box.querySelector('.sg-small').textContent = canvas.getAttribute('aria-label');
  const play = element('<button type="button" class="sg-button"></button>');
  play.textContent = `${word('play_clip')} · ${clock(answer.clip_seconds)}`;
  const clip = new Audio(files + answer.clip.split('/').map(encodeURIComponent).join('/'));
  clip.preload = 'none';
  play.addEventListener('click', () => { audio.pause(); clip.currentTime = 0; clip.play(); });
  audio.addEventListener('play', () => clip.pause());
  box.append(play);
  return box;
}
