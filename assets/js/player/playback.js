// How the sound plays: all of it or an interval, looped or once, at which speed and in which frequencies.

import { keepFlag, keepInLink } from '../core/link_fields.js';
import { audio, emit, events, play, seek, select, show, state } from '../core/state.js';
import { filterTo } from './bandpass_filter.js';

export const SLOWEST = 0.1; // time expansion, as of bat detectors: the pitch falls
export const SPEEDS = [1, 0.5, 0.25, SLOWEST];
export const playback = {
  /** @type {import('../core/state.js').Interval & {name?: string, banded?: boolean} | null} the interval at whose end playback stops or loops */
  span: null,
  loop: false,
  speed: 1,
  keepPitch: true,
  banded: false, // only the selection's frequencies
};

const NEAR_MS = 6; // a timer may be this late
const DRAGGED_MS = 80; // a selection that is being drawn: wait with a new filter
let timer = 0;
let redraw = 0;

/** Change some of the settings and apply them. */
function change(settings) {
  const banded = playback.span?.banded;
  Object.assign(playback, settings);
  if (banded !== playback.span?.banded) filter();
  audio.loop = playback.loop && !playback.span; // the end of a span is watched here
  applySpeed(audio);
  emit('playback');
}

/** Give a player the speed and the pitch.
 * @param {import('../lib/slowable_audio.js').SlowableAudio} player
 */
export function applySpeed(player) {
  player.playbackRate = player.defaultPlaybackRate = playback.speed * player.slowdown; // the default outlives the next sound
  player.preservesPitch = keepsPitch();
}

/** Whether slower playback leaves the frequencies as they are. */
export function keepsPitch() {
  return playback.keepPitch && playback.speed > SLOWEST;
}

/** Play the selection from its start, or pause it. */
export function playSelection() {
  if (!state.selection) return;
  if (playback.span && !audio.paused) audio.pause();
  else playSpan(state.selection);
}

/** Select an interval, play it from its start, and show it; with frequencies: only these.
 * @param {import('../core/state.js').Selection} interval
 * @param {string} [name] of what sounds there
 */
export function playInterval({ start, end, low_hz, high_hz }, name = undefined) {
  if (!state.sound) return;
  select({ start, end, low_hz, high_hz });
  const { start: from, end: to } = state.visible;
  if (start < from || start >= to) show(start - (to - from) * 0.1, start + (to - from) * 0.9);
  if (state.selection) playSpan({ ...state.selection, name, banded: Number.isFinite(low_hz) });
}

function playSpan(span) {
  seek(span.start);
  change({ span });
  if (audio.paused) play();
}

export function toggleLoop() {
  change({ loop: !playback.loop });
}

export function setSpeed(speed) {
  change({ speed });
  filter();
}

export function nextSpeed() {
  setSpeed(SPEEDS[(SPEEDS.indexOf(playback.speed) + 1) % SPEEDS.length]);
}

export function togglePitch() {
  change({ keepPitch: !playback.keepPitch });
  filter();
}

export function toggleBand() {
  change({ banded: !playback.banded });
  filter();
}

keepInLink('speed', () => (playback.speed === 1 ? null : String(playback.speed)), (value) => {
  const speed = Number(value ?? 1);
  setSpeed(SPEEDS.includes(speed) ? speed : 1);
  return SPEEDS.includes(speed);
});
keepFlag('pitch', true, () => playback.keepPitch, (kept) => { if (kept !== playback.keepPitch) togglePitch(); });
keepFlag('loop', false, () => playback.loop, (loop) => { if (loop !== playback.loop) toggleLoop(); });

/** The frequencies { low, high } that are played, or null for all. */
export function audibleRange() {
  const { low_hz: low, high_hz: high } = state.selection ?? {};
  return (playback.banded || playback.span?.banded) && Number.isFinite(low) ? { low, high } : null;
}

function filter() {
  const range = audibleRange();
  const fall = keepsPitch() ? 1 : playback.speed; // slower playback lowers the frequencies
  filterTo(range && { low: range.low * fall, high: range.high * fall });
}

/** Loop or stop at the span's end: timers up to just before it, then as often as they come. */
function watch() {
  clearTimeout(timer);
  const { span } = playback;
  if (!span || audio.paused || audio.seeking) return; // 'seeked' goes on
  const left = (1000 * (span.end - audio.currentTime)) / playback.speed;
  if (left <= 0) atEnd(span);
  else timer = setTimeout(watch, Math.max(0, left - NEAR_MS));
}

function atEnd(span) {
  if (playback.loop) {
    audio.currentTime = span.start;
    if (audio.paused) play(); // the sound itself had ended
    return; // "seeked" goes on watching
  }
  audio.pause();
  audio.currentTime = span.end;
  change({ span: null });
}

for (const name of ['play', 'playing', 'seeked', 'ratechange', 'timeupdate']) audio.addEventListener(name, watch);
audio.addEventListener('ended', () => { if (playback.span) atEnd(playback.span); });
events.addEventListener('playhead', () => { // a seek out of the span ends it
  const { span } = playback;
  if (span && (audio.currentTime < span.start - 1e-3 || audio.currentTime > span.end)) change({ span: null });
});
events.addEventListener('selection', () => {
  if (playback.span) {
    change({ span: state.selection });
    const { start, end } = state.selection ?? { start: 0, end: Infinity };
    if (audio.currentTime < start || audio.currentTime > end) audio.currentTime = start;
    watch();
  } else emit('playback');
  clearTimeout(redraw);
  redraw = setTimeout(filter, DRAGGED_MS);
});
