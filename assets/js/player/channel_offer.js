// A word on channels that differ, with a button for each to open it alone.

import { MEAN, channelName, openChannel } from '../core/channels.js';
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

/** Return a line for the `[text, channels]` of an event; another sound hides it. */
function offer(name, read, signal) {
  const line = element('<p class="sg-channel-offer" role="status" hidden></p>');
  const show = (text = '', channels = []) => {
    line.hidden = !text;
    line.replaceChildren(textElement('span', text), ...channels.map(button));
  };
  events.addEventListener('sound', () => show(), { signal });
  events.addEventListener(name, (/** @type {CustomEvent} */ { detail }) => show(...read(detail)), { signal });
  return line;
}

function button(channel) {
  const made = textElement('button', channelName(channel), 'sg-link');
  made.setAttribute('type', 'button');
  made.addEventListener('click', () => openChannel(channel));
  return made;
}

function lossText({ channel, channels_db: levels, rms_db: mean, silent }) {
  if (channel !== MEAN) return [];
  const louder = Object.keys(levels).filter((name) => levels[name] !== null && levels[name] - (mean ?? -Infinity) > LOSS_DB);
  if (!louder.length) return [];
  const loss = Math.max(...louder.map((name) => levels[name])) - mean;
  return [silent ? t('channels.cancelled') : t('channels.quieter', { loss: formatNumber(loss) }), louder];
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
  return [t('channels.differ', { answers: answers.join(' · ') }), channels.map(([channel]) => channel)];
}
