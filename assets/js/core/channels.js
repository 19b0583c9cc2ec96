// Sound tracks and channels of the open sound: their names, and the choice of one.

import { readAs, readingOf, sameReading } from './reading.js';
import { showMessage, state } from './state.js';
import { t } from '../lib/i18n.js';

export const MEAN = 'mean';
const OF_TWO = [MEAN, 'left', 'right', 'mid', 'side'];
const NUMBER = /^[1-9]\d{0,2}$/;
const TRACK = /^([1-9]\d?):(.+)$/s; // of another sound track than the default one

/** The number of the sound track, 0 for the default one, and the channel of it. */
function splitTrack(channel) {
  const [, number = '0', part = channel] = TRACK.exec(channel) ?? [];
  return [Number(number), part];
}

/** A channel of the track that a sound is. */
export function ofTrack({ channel: open }, channel) {
  const [track] = splitTrack(open);
  return track && !splitTrack(channel)[0] ? `${track}:${channel}` : channel;
}

/** Whether all channels of a track are meant. */
export function isMean(channel) {
  return splitTrack(channel)[1] === MEAN;
}

/** The display name of a channel, of several sound tracks with the number of its own. */
export function channelName(channel, { tracks = 1, default_track: first = 1 } = {}) {
  const [number, part] = splitTrack(channel);
  const track = number || (tracks > 1 ? first : 0);
  if (track) return part === MEAN ? t('channels.name_track', { track }) : t('channels.name_of_track', { track, channel: channelName(part) });
  return t(`channels.name_${NUMBER.test(channel) ? 'number' : channel}`, { number: channel });
}

/** The channels to choose from, of a sound of several; of each of its other sound tracks all channels. */
export function channelChoices({ channels, channel, tracks = 1, default_track: first = 1 }) {
  const [open] = splitTrack(channel);
  const own = channelsOf(channels).map((one) => (open ? `${open}:${one}` : one));
  if (tracks < 2) return own;
  return Array.from({ length: tracks }, (_, index) => index + 1).flatMap((track) => {
    const whole = track === first ? MEAN : `${track}:${MEAN}`;
    return track === (open || first) && own.length ? own : [whole];
  });
}

function channelsOf(count) {
  if (count < 2) return [];
  const numbers = Array.from({ length: count }, (_, index) => String(index + 1));
  return count === 2 ? OF_TWO : [MEAN, ...numbers, 'mid', 'side'];
}

/** The choice that a sound is: left is 1, right is 2. */
export function chosenChannel(sound) {
  const aliases = { 1: 'left', 2: 'right', left: '1', right: '2' };
  const choices = channelChoices(sound);
  const alias = ofTrack(sound, aliases[splitTrack(sound.channel)[1]]);
  return [sound.channel, alias].find((one) => choices.includes(one)) ?? ofTrack(sound, MEAN); // of one channel they are the same
}

/** What of a sound is drawn, classified and played, in words; nothing for a sound of one channel. */
export function channelText(sound) {
  if (!(sound?.channels > 1 || sound?.tracks > 1)) return '';
  const [channel, name] = [chosenChannel(sound), channelName(chosenChannel(sound), sound)];
  return NUMBER.test(channel) || sound.tracks > 1 ? name : t('channels.said', { channel: name });
}

/** Open another channel of the open sound, or show which it has; `more`: how else to read it. */
export function openChannel(channel, more = {}) {
  const { sound } = state;
  if (!sound || sameReading(readingOf(sound), readingOf({ ...sound, ...more, channel }))) return;
  const [[track, part], [open]] = [splitTrack(channel), splitTrack(sound.channel)];
  const inTrack = [MEAN, ...(sound.channels > 1 ? OF_TWO : [])].includes(part) || (NUMBER.test(part) && Number(part) <= sound.channels);
  const exists = track === open ? inTrack : track <= (sound.tracks ?? 1); // the server knows another track's channels
  if (exists) readAs({ ...more, channel });
  else showMessage(t('channels.none', { name: sound.name, channel: channel.slice(0, 20), choices: (channelChoices(sound).join(', ') || MEAN) }));
}
