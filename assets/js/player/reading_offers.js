// Offers to read the open sound's file otherwise: another channel, integers divided by their full scale, or a bat detector's
// time expansion undone.

import { channelName, isMean, ofTrack, openChannel } from '../core/channels.js';
import { expandTime, readAs } from '../core/reading.js';
import { labelName } from '../core/detections.js';
import { events, state } from '../core/state.js';
import { element, textElement } from '../lib/dom.js';
import { formatNumber, formatPercent, t } from '../lib/i18n.js';

const LOSS_DB = 6; // of the mean against the loudest channel

/** Return a line that says when the mean of the channels is much quieter than some of them. */
export function levelOffer(signal) {
  return offer('sound', () => lossText(state.sound), signal);
}

/** Return a line that says when the channels have other answers; `Classify` emits 'channel_answers'. */
export function answersOffer(signal) {
  return offer('channel_answers', answersText, signal);
}

/** Return a line that offers to divide integers that were stored as floats by their full scale, or says that it is done. */
export function scaleOffer(signal) {
  return offer('sound', () => scaleText(state.sound, readAs), signal, 'sg-scale-offer');
}

/** Return a line that offers the original times and frequencies of a slowed recording, or says that they are shown. */
export function expansionOffer(signal) {
  return offer('sound', () => expansionText(state.sound, ({ time_expansion }) => expandTime(time_expansion)), signal, 'sg-expansion-offer');
}

/** Return the lines of both for a sound that is not the open one, and the function that shows its offers, or none for null.
 * @param {(changes: Partial<import('../core/reading.js').Reading>) => void} read reads its file otherwise
 * @param {string} name of the sound, before the texts
 */
export function offersFor(read, name) {
  const [scale, expansion] = [offerLine('sg-scale-offer'), offerLine('sg-expansion-offer')];
  const write = (one, [text, buttons] = /** @type {any[]} */ ([])) => one.write(text && `${name} · ${text}`, buttons);
  const show = (sound) => {
    write(scale, sound ? scaleText(sound, read) : []);
    write(expansion, sound ? expansionText(sound, read) : []);
  };
  return { lines: [scale.line, expansion.line], show };
}

function offerLine(kind) {
  const line = element(`<p class="${kind}" role="status" hidden></p>`);
  const write = (text = '', buttons = []) => {
    line.hidden = !text;
    line.replaceChildren(textElement('span', text), ...buttons.map(([label, press]) => button(label, press)));
  };
  return { line, write };
}

/** Return a line for the `[text, buttons]` of an event; another sound hides it. */
function offer(name, read, signal, kind = 'sg-channel-offer') {
  const { line, write: show } = offerLine(kind);
  events.addEventListener('sound', () => show(), { signal });
  events.addEventListener(name, (/** @type {CustomEvent} */ { detail }) => show(...read(detail)), { signal });
  return line;
}

function button(label, press) {
  const made = textElement('button', label, 'sg-link');
  made.setAttribute('type', 'button');
  made.addEventListener('click', press);
  return made;
}

const channelButtons = (channels) => channels.map((channel) => [channelName(channel), () => openChannel(ofTrack(state.sound, channel))]);

function scaleText({ full_scale: divided, integer_scale: found }, read) {
  const scale = formatNumber(divided > 1 ? divided : found ?? 1);
  const by = (full_scale) => () => read({ full_scale });
  if (divided > 1) return [t('scale.divided', { scale }), [[t('scale.undo'), by(1)]]];
  return found ? [t('scale.integers', { scale }), [[t('scale.divide', { scale }), by(found)]]] : [];
}

function expansionText({ time_expansion: applied, stated_expansion: stated }, read) {
  const factor = formatNumber(applied > 1 ? applied : stated ?? 1);
  const by = (time_expansion) => () => read({ time_expansion });
  if (applied > 1) return [t('expansion.applied', { factor }), [[t('expansion.undo'), by(1)]]];
  return stated ? [t('expansion.stated', { factor }), [[t('expansion.apply', { factor }), by(stated)]]] : [];
}

function lossText({ channel, channels_db: levels, rms_db: mean, silent }) {
  if (!isMean(channel)) return [];
  const louder = Object.keys(levels).filter((name) => levels[name] !== null && levels[name] - (mean ?? -Infinity) > LOSS_DB);
  if (!louder.length) return [];
  const loss = Math.max(...louder.map((name) => levels[name])) - mean;
  return [silent ? t('channels.cancelled') : t('channels.quieter', { loss: formatNumber(loss) }), channelButtons(louder)];
}

/** The answers of the channels, if a class is among them that is not the mean's. */
function answersText(reply) {
  if (!reply) return [];
  const { verdict, channels } = reply;
  const classes = channels.filter(([, , probability]) => probability !== null);
  if (classes.every(([, label]) => label === verdict)) return [];
  const answers = channels.map(([channel, label, probability]) => t('channels.answer', {
    channel: channelName(channel), what: labelName(label) + (probability === null ? '' : ` (${formatPercent(probability)})`),
  }));
  return [t('channels.differ', { answers: answers.join(' · ') }), channelButtons(channels.map(([channel]) => channel))];
}
