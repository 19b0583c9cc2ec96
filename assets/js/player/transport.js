// Transport bar: the whole sound as a strip to seek in, play and pause, and how it plays (see playback.js).

import { audio, events, onPlayhead, seek, showMessage, state, togglePlay } from '../core/state.js';
import { decodeBase64, element, find, onDrag, onResize, onThemeChange, translated } from '../lib/dom.js';
import { formatNumber, formatTime, t } from '../lib/i18n.js';
import { icon } from '../lib/icons.js';
import { drawEnvelope } from '../lib/thumbnails.js';
import { menu, toolButton } from '../widgets/menu.js';
import { rovingFocus } from '../widgets/roving_focus.js';
import { SLOWEST, SPEEDS, audibleRange, keepsPitch, playSelection, playback, setSpeed, toggleBand, toggleLoop, togglePitch } from './playback.js';

const SPEED_SIGNS = { 1: '1×', 0.5: '½×', 0.25: '¼×', 0.1: '⅒×' };

const SKELETON = `
  <div class="sg-deck" data-empty="true">
    <button type="button" class="sg-round sg-play" data-aria="player.play" disabled>${icon('play')}</button>
    <div class="sg-strip" tabindex="0" role="slider" aria-valuemin="0" aria-valuenow="0" data-aria="player.seek">
      <canvas></canvas><div class="sg-strip-selection" hidden></div><div class="sg-visible-range" hidden></div>
      <div class="sg-playhead" hidden></div><p class="sg-drop"><b></b><small></small></p>
    </div>
    <output class="sg-time"></output>
  </div>`;

/** Fill `root` with the transport and return its settings, for a row of their own; `choose` asks for a file where no sound is open.
 * @param {any} root
 * @param {() => void} choose
 * @param {AbortSignal} signal
 */
export function transport(root, choose, signal) {
  root.innerHTML = SKELETON;
  translated(root);
  const [deck, play, strip, time] = ['deck', 'play', 'strip', 'time'].map((name) => find(root, `.sg-${name}`));
  time.textContent = `${formatTime(0)} / ${formatTime(0)}`;
  wirePlay(play, signal);
  wireStrip(strip, time, signal);
  wireSeek(strip, choose);
  events.addEventListener('sound', () => {
    deck.dataset.empty = 'false';
    play.disabled = false;
  }, { signal });
  audio.addEventListener('error', () => { if (audio.currentSrc) showMessage(t('player.play_failed'), 'note'); }, { signal });
  return playbackSettings(signal);
}

/** Call `show` whenever playback starts, pauses or changes its settings. */
function onPlayback(show, signal) {
  for (const name of ['play', 'pause']) audio.addEventListener(name, show, { signal });
  for (const name of ['sound', 'playback']) events.addEventListener(name, show, { signal });
}

function wirePlay(play, signal) {
  onPlayback(() => {
    play.innerHTML = icon(audio.paused ? 'play' : 'pause');
    play.setAttribute('aria-label', t(audio.paused ? 'player.play' : 'player.pause'));
  }, signal);
  play.addEventListener('click', togglePlay);
}

/** Draw the sound, its visible and its selected interval, and the playhead. */
function wireStrip(strip, time, signal) {
  const [head, visible, picked] = ['playhead', 'visible-range', 'strip-selection'].map((name) => find(strip, `.sg-${name}`));
  let envelope = null;
  const draw = () => { if (envelope) drawEnvelope(find(strip, 'canvas'), envelope); };
  const position = (box, { start, end }) => {
    box.style.left = `${(100 * start) / state.sound.seconds}%`;
    box.style.width = `${(100 * (end - start)) / state.sound.seconds}%`;
  };
  const showVisible = () => {
    visible.hidden = state.visible.end - state.visible.start > state.sound.seconds * 0.999;
    position(visible, state.visible);
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
    showVisible();
    showHead(0);
  }, { signal });
  events.addEventListener('visible', showVisible, { signal });
  events.addEventListener('selection', () => {
    picked.hidden = !state.selection;
    if (state.selection) position(picked, state.selection);
  }, { signal });
  onResize(strip, draw, signal);
  onThemeChange(draw, signal);
  onPlayhead(showHead, signal);
}

function wireSeek(strip, choose) {
  const seekTo = (event) => {
    const box = strip.getBoundingClientRect();
    seek(((event.clientX - box.left) / box.width) * (state.sound?.seconds ?? 0));
  };
  onDrag(strip, seekTo, seekTo);
  strip.addEventListener('click', () => { if (!state.sound) choose(); });
  strip.addEventListener('keydown', (event) => {
    const seconds = state.sound?.seconds ?? 0;
    const step = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10 }[event.key];
    if (event.key === ' ') togglePlay();
    else if (event.key === 'Enter' && !state.sound) choose();
    else if (event.key === 'Home') seek(0);
    else if (event.key === 'End') seek(seconds);
    else if (step) seek(audio.currentTime + (step * seconds) / 100);
    else return;
    event.preventDefault();
  });
}

/** A button that switches a setting of the playback. */
function settingButton(name, key, press) {
  const made = element(`<button type="button" class="sg-tool" data-do="${name.split('.').pop()}">
    <span data-t="${name}"></span></button>`);
  made.title = `${t(`${name}_hint`)} (${key})`;
  made.addEventListener('click', press);
  return made;
}

function speedButtons() {
  const speeds = element('<div class="sg-group" role="group" data-aria="playback.speed"></div>');
  for (const speed of SPEEDS) {
    const name = t(`playback.speed_${100 * speed}`);
    const made = element(`<button type="button" class="sg-tool" title="${name} (D)" aria-label="${name}"></button>`);
    made.textContent = SPEED_SIGNS[speed];
    made.addEventListener('click', () => setSpeed(speed));
    speeds.append(made);
  }
  return speeds;
}

/** Return the settings: loop, speed and pitch, the selection, its frequencies, and what plays now in words. They are a row
 *  or, in a narrow window, a menu; those that have no effect now are not shown. */
function playbackSettings(signal) {
  const { root, button, panel: row } = menu('loop', 'playback.menu', { signal });
  root.classList.add('sg-playback-menu');
  row.classList.add('sg-playback');
  const loop = toolButton('loop', 'player.loop', 'L', toggleLoop);
  loop.classList.add('sg-loop');
  const speeds = speedButtons();
  const selection = settingButton('playback.play_selection', 'P', playSelection);
  const pitch = settingButton('playback.keep_pitch', 'T', togglePitch);
  const band = settingButton('playback.only_band', 'B', toggleBand);
  const now = element('<span class="sg-now-playing"></span>');
  row.append(now, band, pitch, selection, speeds, loop);
  const show = () => {
    root.hidden = !state.sound;
    button.replaceChildren(element(icon('loop')), SPEED_SIGNS[playback.speed]);
    selection.hidden = !state.selection;
    selection.querySelector('svg')?.remove();
    selection.insertAdjacentHTML('afterbegin', icon(playback.span && !audio.paused ? 'pause' : 'selection'));
    [...speeds.children].forEach((one, i) => one.setAttribute('aria-pressed', String(playback.speed === SPEEDS[i])));
    loop.setAttribute('aria-pressed', String(playback.loop));
    pitch.setAttribute('aria-pressed', String(playback.keepPitch));
    pitch.hidden = playback.speed === 1 || playback.speed === SLOWEST;
    band.setAttribute('aria-pressed', String(playback.banded));
    band.hidden = !playback.banded && !Number.isFinite(state.selection?.low_hz);
    now.textContent = now.title = audio.paused ? '' : playbackText();
  };
  onPlayback(show, signal);
  show();
  rovingFocus(row, signal);
  return root;
}

/** What plays now, in words. */
function playbackText() {
  const { span, speed, loop, banded } = playback;
  const range = audibleRange();
  const interval = span && { start: formatNumber(span.start, 2), end: formatNumber(span.end, 2) };
  const band = range && { low: formatNumber(range.low), high: formatNumber(range.high) };
  return [
    span?.name ? t('playback.playing_segment', { ...interval, name: span.name }) : interval ? t('playback.playing_selection', interval) : t('playback.playing_all'),
    (band || banded) && (band ? t('playback.playing_band', band) : t('playback.playing_no_band')),
    speed < 1 && (keepsPitch() ? SPEED_SIGNS[speed] : t('playback.playing_falls', { speed: SPEED_SIGNS[speed] })),
    loop && t('playback.playing_loop'),
  ].filter(Boolean).join(' · ');
}
