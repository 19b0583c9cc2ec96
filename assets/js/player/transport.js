// The transport: the whole sound as a strip to seek in, play and pause, and the ways of playing (see playing.js).

import { audio, events, onPlayhead, showMessage, seek, state, togglePlay } from '../core/state.js';
import { decodeBase64, element } from '../lib/dom.js';
import { formatTime, formatNumber, t } from '../lib/i18n.js';
import {
  SPEEDS, audibleRange, playSelection, playback, setSpeed, toggleBand, toggleLoop, togglePitch,
} from './playback.js';
import { drawEnvelope } from '../lib/thumbnails.js';

const ICONS = {
  play: '<path d="M7 4.5v15l12-7.5z"/>',
  pause: '<path d="M6 5h4v14H6zM14 5h4v14h-4z"/>',
  loop: '<path d="M17 3l4 4-4 4V8H7v4H5V6h12zM7 21l-4-4 4-4v3h10v-4h2v6H7z"/>',
  record: '<circle cx="12" cy="12" r="6.5"/>',
  file: '<path d="M12 3l5 5h-3.5v6h-3V8H7zM5 17h14v3H5z"/>',
  span: '<path d="M3 4h4v2H5v12h2v2H3zM21 4h-4v2h2v12h-2v2h4zM9 7.5v9l7-4.5z"/>',
};
const SPEED_SIGNS = { 1: '1×', 0.5: '½×', 0.25: '¼×' };

export const icon = (name) => `<svg viewBox="0 0 24 24" aria-hidden="true">${ICONS[name]}</svg>`;

/** Build the transport in `root`; `choose` asks for a file, where none is open. */
export function transport(root, choose) {
  root.innerHTML = `
    <div class="sg-deck" data-empty="true">
      <button type="button" class="sg-round sg-play" disabled>${icon('play')}</button>
      <div class="sg-strip" tabindex="0" role="slider" aria-valuemin="0" aria-valuenow="0">
        <canvas></canvas><div class="sg-picked" hidden></div><div class="sg-window" hidden></div>
        <div class="sg-head" hidden></div><p class="sg-drop"><b></b><small></small></p>
      </div>
      <button type="button" class="sg-round sg-loop" aria-pressed="false" disabled>${icon('loop')}</button>
      <output class="sg-time"></output>
    </div>
    <div class="sg-ways"></div>`;
  const find = (selector) => root.querySelector(selector);
  const [deck, play, loop, strip, time] = ['deck', 'play', 'loop', 'strip', 'time'].map((name) => find(`.sg-${name}`));
  time.textContent = `${formatTime(0)} / ${formatTime(0)}`;
  play.setAttribute('aria-label', t('player.play'));
  loop.setAttribute('aria-label', t('player.loop'));
  loop.title = `${t('player.loop')} (L)`;
  strip.setAttribute('aria-label', t('player.seek'));
  wirePlay(play, loop);
  wireStrip(strip, time);
  wireSeek(strip, choose);
  ways(find('.sg-ways'));
  events.addEventListener('sound', () => {
    deck.dataset.empty = 'false';
    play.disabled = loop.disabled = false;
  });
  audio.addEventListener('error', () => { if (audio.currentSrc) showMessage(t('player.play_failed'), 'note'); });
}

function wirePlay(play, loop) {
  const show = () => {
    play.innerHTML = icon(audio.paused ? 'play' : 'pause');
    play.setAttribute('aria-label', t(audio.paused ? 'player.play' : 'player.pause'));
    loop.setAttribute('aria-pressed', String(playback.loop));
  };
  for (const name of ['play', 'pause']) audio.addEventListener(name, show);
  events.addEventListener('playback', show);
  play.addEventListener('click', togglePlay);
  loop.addEventListener('click', toggleLoop);
}

/** Draw the sound, what is shown and selected of it, and the play head. */
function wireStrip(strip, time) {
  const [head, frame, picked] = ['head', 'window', 'picked'].map((name) => strip.querySelector(`.sg-${name}`));
  const canvas = strip.querySelector('canvas');
  let envelope = null;
  const draw = () => { if (envelope) drawEnvelope(canvas, envelope); };
  const place = (box, { start, end }) => {
    box.style.left = `${(100 * start) / state.sound.seconds}%`;
    box.style.width = `${(100 * (end - start)) / state.sound.seconds}%`;
  };
  const showWindow = () => {
    frame.hidden = state.visible.end - state.visible.start > state.sound.seconds * 0.999;
    place(frame, state.visible);
  };
  const showSelection = () => {
    picked.hidden = !state.selection;
    if (state.selection) place(picked, state.selection);
  };
  const showHead = (now) => {
    if (!state.sound) return;
    head.hidden = false;
    head.style.left = `${Math.min(100, (100 * now) / state.sound.seconds)}%`;
    time.textContent = `${formatTime(now)} / ${formatTime(state.sound.seconds)}`;
    strip.setAttribute('aria-valuenow', now.toFixed(2));
    strip.setAttribute('aria-valuetext', formatTime(now));
  };
  events.addEventListener('sound', () => {
    strip.setAttribute('aria-valuemax', state.sound.seconds.toFixed(2));
    envelope = new Int8Array(decodeBase64(state.sound.envelope).buffer);
    draw();
    showWindow();
    showHead(0);
  });
  events.addEventListener('visible', showWindow);
  events.addEventListener('selection', showSelection);
  new ResizeObserver(draw).observe(strip);
  new MutationObserver(draw).observe(document.body, { attributes: true, attributeFilter: ['class'] }); // the theme
  onPlayhead(showHead);
}

function wireSeek(strip, choose) {
  const seekTo = (event) => {
    const box = strip.getBoundingClientRect();
    seek(((event.clientX - box.left) / box.width) * (state.sound?.seconds ?? 0));
  };
  strip.addEventListener('pointerdown', (event) => {
    if (!state.sound) return;
    strip.setPointerCapture(event.pointerId);
    seekTo(event);
  });
  strip.addEventListener('pointermove', (event) => { if (event.buttons) seekTo(event); });
  strip.addEventListener('click', () => { if (!state.sound) choose(); });
  strip.addEventListener('keydown', (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10 }[event.key];
    if (event.key === ' ') togglePlay();
    else if (event.key === 'Enter' && !state.sound) choose();
    else if (event.key === 'Home') seek(0);
    else if (event.key === 'End') seek(state.sound?.seconds ?? 0);
    else if (step) seek(audio.currentTime + (step * (state.sound?.seconds ?? 0)) / 100);
    else return;
    event.preventDefault();
  });
}

/** The row of ways: the selection, speed and pitch, the selected frequencies, and what is heard now in words. */
function ways(row) {
  const button = (name, key, press) => {
    const made = element(`<button type="button" class="sg-tool" data-do="${name.split('.').pop()}"><span></span></button>`);
    made.lastChild.textContent = t(name);
    made.title = `${t(`${name}_hint`)} (${key})`;
    made.addEventListener('click', press);
    return made;
  };
  const selection = button('playback.play_selection', 'P', playSelection);
  const speeds = element('<div class="sg-group" role="group"></div>');
  speeds.setAttribute('aria-label', t('playback.speed'));
  speeds.append(...SPEEDS.map((speed) => {
    const made = element('<button type="button" class="sg-tool"></button>');
    made.textContent = SPEED_SIGNS[speed];
    made.setAttribute('aria-label', t(`playback.speed_${100 * speed}`));
    made.title = `${t(`playback.speed_${100 * speed}`)} (D)`;
    made.addEventListener('click', () => setSpeed(speed));
    return made;
  }));
  const pitch = button('playback.keep_pitch', 'T', togglePitch);
  const band = button('playback.only_band', 'B', toggleBand);
  const now = element('<span class="sg-now"></span>');
  row.append(selection, speeds, pitch, band, now);
  const show = () => {
    const spanned = playback.span && !audio.paused;
    selection.disabled = !state.selection;
    selection.querySelector('svg')?.remove();
    selection.insertAdjacentHTML('afterbegin', icon(spanned ? 'pause' : 'span'));
    [...speeds.children].forEach((one, i) => {
      one.setAttribute('aria-pressed', String(playback.speed === SPEEDS[i]));
      one.disabled = !state.sound;
    });
    pitch.setAttribute('aria-pressed', String(playback.keepPitch));
    pitch.disabled = !state.sound || playback.speed === 1;
    band.setAttribute('aria-pressed', String(playback.banded));
    band.disabled = !playback.banded && !Number.isFinite(state.selection?.low_hz);
    now.textContent = now.title = audio.paused ? '' : heard();
    row.toggleAttribute('data-playing', !audio.paused);
  };
  for (const name of ['play', 'pause']) audio.addEventListener(name, show);
  for (const name of ['sound', 'playback']) events.addEventListener(name, show);
  show();
}

/** What is heard now, in words. */
function heard() {
  const { span, speed, keepPitch, loop, banded } = playback;
  const band = audibleRange();
  return [
    span ? t('playback.playing_selection', { start: formatNumber(span.start, 2), end: formatNumber(span.end, 2) }) : t('playback.playing_all'),
    banded && (band ? t('playback.playing_band', { low: formatNumber(band.low), high: formatNumber(band.high) }) : t('playback.playing_no_band')),
    speed < 1 && (keepPitch ? SPEED_SIGNS[speed] : t('playback.playing_falls', { speed: SPEED_SIGNS[speed] })),
    loop && t('playback.playing_loop'),
  ].filter(Boolean).join(' · ');
}
