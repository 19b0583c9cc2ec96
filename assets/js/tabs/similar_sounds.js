// The most similar sounds: asked for once the section scrolls into view; a card each, with its picture, played at a click.

import { token } from '../core/rpc.js';
import { events, state } from '../core/state.js';
import { decodeBase64, element, fileUrl } from '../lib/dom.js';
import { className, messagesReady, formatNumber, t } from '../lib/i18n.js';
import { retryButton, offerRetryLater } from '../widgets/retry_button.js';
import { clipPlayer, playClip } from '../player/clip_player.js';
import { paintLevels } from '../lib/thumbnails.js';

export async function mount(root, { trigger, watch, props }) {
  await messagesReady;
  const host = root.querySelector('.sg-neighbours');
  const clips = player();
  let asked = null;
  let turn = Date.now(); // as in classify.js
  let inView = false;
  const askOnce = () => {
    if (!state.sound || !inView || asked === state.sound.id) return;
    asked = state.sound.id;
    turn += 1;
    send();
  };
  const send = () => {
    const wait = note('sg-small', t('similar_sounds.looking'));
    offerRetryLater(wait, send);
    host.replaceChildren(heading(t('similar_sounds.title_examples')), wait);
    trigger('similar_sounds', { token: token(), sound: state.sound.id, turn });
  };
  const draw = () => {
    const answer = props.value;
    if (!answer || answer.turn !== turn || answer.sound !== state.sound?.id) return; // of another sound
    host.hidden = Boolean(answer.off); // the tab says already that the network is missing
    if (answer.error) host.replaceChildren(heading(t('similar_sounds.title_examples')), note('sg-wrong', answer.error), retryButton(send));
    else {
      turn += 1;
      host.replaceChildren(...result(answer, clips));
    }
  };
  watch('value', draw);
  events.addEventListener('sound', () => {
    clips.stop();
    host.hidden = false;
    host.replaceChildren(heading(t('similar_sounds.title_examples')));
    askOnce();
  });
  new IntersectionObserver(([entry]) => {
    inView = entry.isIntersecting;
    askOnce();
  }).observe(host);
}

function result(answer, clips) {
  const values = { ...answer, seconds: formatNumber(answer.clip_seconds) };
  const title = heading(t(answer.examples ? 'similar_sounds.title_examples' : 'similar_sounds.title_index', values));
  if (answer.silent) return [title, note('sg-small', t('similar_sounds.silent', values))];
  if (!answer.rows.length) return [title, note('sg-small', t('similar_sounds.none'))];
  const list = element('<ol class="sg-alikes"></ol>');
  list.setAttribute('aria-label', title.textContent);
  for (const row of answer.rows) {
    const item = document.createElement('li');
    item.append(row.clip ? card(row, clips) : absent(row));
    list.append(item);
  }
  return [title, list, note('sg-small', t('similar_sounds.note', values))];
}

/** A picture, a name and a number, which together are the button that plays the sound. */
function card(row, clips) {
  const button = element(`<button type="button" class="sg-alike" aria-pressed="false">
    <span class="sg-thumb"><canvas aria-hidden="true"></canvas><i class="sg-gone-by"></i></span></button>`);
  paintLevels(button.querySelector('canvas'), { levels: decodeBase64(row.levels), rows: row.rows, columns: row.columns });
  button.append(...caption(row));
  const said = { name: rowName(row), similarity: formatNumber(row.similarity, 2) };
  const label = (playing) => {
    button.setAttribute('aria-pressed', String(playing));
    button.setAttribute('aria-label', t(playing ? 'similar_sounds.stop' : 'similar_sounds.play', said));
  };
  label(false);
  const url = fileUrl(row.clip);
  button.addEventListener('click', () => clips.toggle(url, button, label));
  return button;
}

function absent(row) {
  const box = element('<div class="sg-alike"><span class="sg-thumb"></span></div>');
  box.firstChild.append(note('sg-small', t('similar_sounds.gone')));
  box.append(...caption(row));
  return box;
}

/** What the sound is called: a class, or a file. */
const rowName = ({ label, name }) => (label ? className(label) : name);

function caption(row) {
  const [name, similarity] = [document.createElement('b'), element('<span class="sg-small"></span>')];
  name.textContent = rowName(row);
  name.title = name.textContent;
  similarity.textContent = row.same ? t('similar_sounds.same') : formatNumber(row.similarity, 2);
  return [name, similarity];
}

/** One card's sound at a time. */
function player() {
  let current = null; // { button, label } of the card that plays
  const stop = () => {
    clip.pause();
    if (!current) return;
    current.label(false);
    current.button.style.removeProperty('--gone-by');
    current = null;
  };
  const clip = clipPlayer(stop);
  const toggle = async (url, button, label) => {
    const ours = current?.button === button;
    stop();
    if (ours) return;
    const card = { button, label };
    current = card;
    label(true);
    clip.src = url;
    if (await playClip(clip)) follow();
    else if (current === card) stop(); // no other card was clicked meanwhile
  };
  const follow = () => {
    if (clip.paused || !current) return;
    current.button.style.setProperty('--gone-by', `${(100 * clip.currentTime) / (clip.duration || Infinity)}%`);
    requestAnimationFrame(follow);
  };
  clip.addEventListener('ended', stop);
  return { toggle, stop };
}

function heading(text) {
  const title = document.createElement('h2');
  title.textContent = text;
  return title;
}

function note(name, text) {
  const paragraph = element(`<p class="${name}"></p>`);
  paragraph.textContent = text;
  return paragraph;
}
