// How the sound plays: all of it or the selection, in circles or once, how fast, and in which frequencies.

import { emit, audio, events, seek, state, togglePlay } from '../core/state.js';
import { filterTo } from './bandpass_filter.js';

export const SPEEDS = [1, 0.5, 0.25];
export const playback = {
  span: null, // the stretch that is not left, { start, end } in seconds
  loop: false,
  speed: 1,
  keepPitch: true,
  banded: false, // only the selection's frequencies
};

const NEAR_MS = 6; // a timer may be this late
const DRAGGED_MS = 80; // a selection that is being drawn: wait with a new filter
let timer = 0;
let redraw = 0;

/** Change some of how it plays, and make it so. */
function change(settings) {
  Object.assign(playback, settings);
  audio.loop = playback.loop && !playback.span; // a span's end is watched here
  audio.playbackRate = audio.defaultPlaybackRate = playback.speed; // the default outlives the next sound
  audio.preservesPitch = playback.keepPitch;
  emit('playback');
}

/** Play the selection from its start, or stop doing so. */
export function playSelection() {
  if (!state.selection) return;
  if (playback.span && !audio.paused) {
    audio.pause();
    return;
  }
  seek(state.selection.start);
  change({ span: state.selection });
  if (audio.paused) togglePlay();
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

/** The frequencies that are let through, or null for all. */
export function audibleRange() {
  const { low_hz: low, high_hz: high } = state.selection ?? {};
  return playback.banded && Number.isFinite(low) ? { low, high } : null;
}

function filter() {
  const band = audibleRange();
  const fall = playback.keepPitch ? 1 : playback.speed; // what is played slower comes out lower
  filterTo(band && { low: band.low * fall, high: band.high * fall });
}

/** Turn or stop at the span's end: timers up to just before it, then as often as they come. */
function watch() {
  clearTimeout(timer);
  const { span } = playback;
  if (!span || audio.paused) return;
  const left = (1000 * (span.end - audio.currentTime)) / audio.playbackRate;
  if (left <= 0) turn(span);
  else timer = setTimeout(watch, Math.max(0, left - NEAR_MS));
}

function turn(span) {
  if (playback.loop) {
    audio.currentTime = span.start;
    if (audio.paused) togglePlay(); // the sound itself had ended
    return; // "seeked" goes on watching
  }
  audio.pause();
  audio.currentTime = span.end;
  change({ span: null });
}

for (const name of ['play', 'playing', 'seeked', 'ratechange']) audio.addEventListener(name, watch);
audio.addEventListener('ended', () => { if (playback.span) turn(playback.span); });
events.addEventListener('playhead', () => { // whoever seeks elsewhere wants to hear what is there
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
