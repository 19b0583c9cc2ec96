// What was heard in the open sound, shared by the tab that asks for it and the strips under the pictures.

import { emit, audio, events, showMessage, seek, select, show, state } from './state.js';
import { className, classNames, formatNumber, t } from '../lib/i18n.js';

/** The open sound's timeline: null, or { sound, stage, heard, hop, segments: [{ label, start, end, probability }], silences, doubts }.
 *
 * A doubt is a stretch in which no class is likely enough: { label: 'uncertain', guess, start, end, probability }.
 */
export const detections = { timeline: null };

/** Keep what the server said of a timeline, and tell whoever draws it. */
export function setTimeline(answer) {
  detections.timeline = answer && {
    ...answer,
    segments: answer.segments.map(([label, start, end, probability]) => ({ label, start, end, probability })),
    silences: answer.silences.map(([start, end]) => ({ start, end })),
    doubts: answer.doubts.map(toUncertain),
  };
  emit('detections');
}

/** What the server sends of a stretch that it is not sure of. */
export function toUncertain([guess, start, end, probability]) {
  return { label: 'uncertain', guess, start, end, probability };
}

/** A class's name in the user's language. */
export function labelName(label) {
  if (label === 'silence') return t('page.silence');
  if (label === 'unknown') return t('timeline.none_known');
  if (label === 'uncertain') return t('timeline.uncertain');
  return className(label);
}

/** A class's hue in degrees: far apart for classes beside each other in the list, the same in every sound. */
export function hueOf(label) {
  const target = Math.max(0, Object.keys(classNames).indexOf(label));
  return Math.round((target * 137.508 + 170) % 360);
}

export function formatPercent(probability, digits = 0) {
  return `${formatNumber(100 * probability, digits)} %`;
}

/** Seconds as people say them: 4.5 s, 1:05, 1:00:00. */
export function formatDuration(seconds) {
  if (seconds < 60) return `${formatNumber(seconds, seconds < 10 && seconds % 1 > 0.05 ? 1 : 0)} ${t('page.unit_s')}`;
  return formatMoment(seconds);
}

/** A time in the sound, to a tenth of a second while that is readable: 0:04.5, 12:31. */
export function formatMoment(seconds) {
  const tenths = Math.round(seconds * 10) / 10;
  const [h, m, s] = [Math.floor(tenths / 3600), Math.floor((tenths % 3600) / 60), tenths % 60];
  const tail = s % 1 > 0.05 && !h ? s.toFixed(1).padStart(4, '0') : String(Math.floor(s)).padStart(2, '0');
  return h ? `${h}:${String(m).padStart(2, '0')}:${tail}` : `${m}:${tail}`;
}

export function describeSegment({ label, guess, start, end, probability }) {
  const about = { what: labelName(guess ?? label), start: formatMoment(start), end: formatMoment(end), probability: formatPercent(probability) };
  return t(guess ? 'timeline.uncertain_is' : 'timeline.segment_is', about);
}

let playing = null; // the stretch that is being played, until its end

/** Play one stretch of the sound and stop at its end; it is selected, and the pictures show it. */
export function playInterval({ start, end }) {
  if (!state.sound) return;
  select({ start, end });
  const { start: from, end: to } = state.visible;
  if (start < from || start >= to) show(start - (to - from) * 0.1, start + (to - from) * 0.9);
  playing = { start, end: Math.min(end, state.sound.seconds) };
  seek(start);
  audio.play().catch((error) => { if (error.name !== 'AbortError') showMessage(t('player.play_failed')); });
  requestAnimationFrame(watchEnd);
}

function stopAtEnd() {
  if (!playing || audio.seeking || audio.currentTime < playing.end) return;
  const { end } = playing;
  playing = null;
  audio.pause();
  seek(end);
}

function watchEnd() {
  stopAtEnd();
  if (playing) requestAnimationFrame(watchEnd);
}

audio.addEventListener('timeupdate', stopAtEnd); // a hidden page has no frames
audio.addEventListener('seeking', () => { // the user went elsewhere
  if (playing && (audio.currentTime < playing.start - 0.05 || audio.currentTime >= playing.end)) playing = null;
});
audio.addEventListener('pause', () => { if (audio.paused) playing = null; });
events.addEventListener('sound', () => { playing = null; setTimeline(null); });
