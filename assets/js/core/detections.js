// Sound events detected in the open sound, shared by the timeline tab and the lanes under the views.

import { answerName, network } from './network.js';
import { emit } from './state.js';
import { className, formatMoment, formatNumber, formatPercent, t, texts } from '../lib/i18n.js';

/** @typedef {import('./state.js').Interval} Interval
 * @typedef {Interval & {label: string, probability: number, uncertainty?: number, guess?: string, answer?: string, second?: boolean}} Segment
 *   `uncertainty`: of start and end, in seconds; `guess`: no class is sure, and `label` is 'uncertain', or 'unknown' for sounds
 *   of none of the classes; `answer`: the network's heading where two are in use; `second`: whether it is the second of them
 */

/** @type {{timeline: any}} the open sound's timeline as the server sends it, with Segments and silent Intervals; or null */
export const detections = { timeline: null };

// at least 0.15 apart in OKLab, and 0.09 with protanopia, deuteranopia or tritanopia (Machado et al., 2009)
const COLOURS = [
  '.6 .17 260', '.5 .13 50', '.8 .17 120', '.6 .17 340', '.5 .09 170', '.8 .13 220', '.5 .17 300', '.6 .13 110', '.8 .09 20', '.7 .09 300',
];
const PATTERNS = 5; // see timeline.css

/** Keep the server's timeline, or null, and emit 'detections'. */
export function setTimeline(reply) {
  const two = Boolean(reply?.second);
  const about = (second) => (two ? { answer: answerName(second), second } : {});
  detections.timeline = reply && { ...toTimeline(reply, about(false)), second: two ? toTimeline(reply.second, about(true)) : null };
  emit('detections');
}

function toTimeline(reply, about) {
  const of = (segment) => ({ ...segment, ...about });
  return {
    ...reply,
    segments: reply.segments.map(toSegment).map(of),
    silences: reply.silences.map(([start, end]) => ({ start, end })),
    uncertain: reply.uncertain.map(toUncertain).map(of),
  };
}

/** The segments of a timeline and those in which no class is sure, of each network in use; none for null.
 * @returns {Segment[][]}
 */
export function segmentsOf(timeline) {
  return [timeline, timeline?.second].filter(Boolean).map(({ segments, uncertain }) => [...segments, ...uncertain]);
}

/** @returns {Segment} of a row from the server */
export function toSegment([label, start, end, probability, uncertainty]) {
  return { label, start, end, probability, uncertainty };
}

/** @returns {Segment} of an interval in which no class is sure */
export function toUncertain([guess, start, end, probability, verdict]) {
  return { label: verdict === 'unknown' ? 'unknown' : 'uncertain', guess, start, end, probability };
}

/** The display name of a class, or of a label that is none; `guess`: the class it may be or is nearest to. */
export function labelName(label, guess = null) {
  if (guess) return t(label === 'unknown' ? 'timeline.unknown_row' : 'timeline.uncertain_row', { what: className(guess) });
  const other = { silence: 'page.silence', unknown: 'timeline.none_known', uncertain: 'timeline.uncertain', unsure: 'timeline.uncertain' }[label];
  return other ? t(other) : className(label);
}

/** Give an element the colour and pattern of a class, the same in every sound: 50 classes differ in one or the other. */
export function paintClass(node, label) {
  const known = Object.keys(texts.class_names).indexOf(label);
  const target = known < 0 ? network.own?.classes.indexOf(label) ?? -1 : known;
  if (target < 0) return; // such as silence
  node.style.setProperty('--sg-colour', `oklch(${COLOURS[target % COLOURS.length]})`);
  node.dataset.pattern = Math.floor(target / COLOURS.length) % PATTERNS; // ESC-50 has ten classes of a kind
}

/** The colour of a class or of a name of the user's own. */
export function nameColour(name) {
  const target = Object.keys(texts.class_names).indexOf(name);
  const number = target < 0 ? [...name].reduce((sum, letter) => sum + letter.codePointAt(0), 0) : target;
  return `oklch(${COLOURS[number % COLOURS.length]})`;
}

/** Return the uncertainty of a segment's edges, or nothing for an interval without a class. */
export function formatUncertainty(seconds) {
  return seconds ? `±${formatNumber(seconds, seconds < 0.1 ? 2 : 1)}\u00a0${t('page.unit_s')}` : '';
}

/** Return a segment in words. @param {Segment} segment */
export function describeSegment({ label, guess, start, end, probability, uncertainty, answer }) {
  const key = !guess ? 'timeline.segment_is' : label === 'unknown' ? 'timeline.unknown_is' : 'timeline.uncertain_is';
  const text = t(key, {
    what: labelName(guess ?? label), start: formatMoment(start), end: formatMoment(end), probability: formatPercent(probability),
    uncertainty: formatUncertainty(uncertainty),
  });
  return answer ? `${answer}: ${text}` : text;
}
