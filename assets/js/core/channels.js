// Channels of the open sound: their names, and the choice of one.

import { emit, showMessage, state } from './state.js';
import { t } from '../lib/i18n.js';

export const MEAN = 'mean';
const OF_TWO = [MEAN, 'left', 'right', 'mid', 'side'];
const NUMBER = /^[1-9]\d{0,2}$/;

/** The display name of a channel. */
export function channelName(channel) {
  return t(`channels.name_${NUMBER.test(channel) ? 'number' : channel}`, { number: channel });
}

/** The channels to choose from, of a sound of several. */
export function channelChoices({ channels: count }) {
  if (count < 2) return [];
  const numbers = Array.from({ length: count }, (_, index) => String(index + 1));
  return count === 2 ? OF_TWO : [MEAN, ...numbers, 'mid', 'side'];
}

/** The choice that a sound is: left is 1, right is 2. */
export function chosenChannel(sound) {
  const aliases = { 1: 'left', 2: 'right', left: '1', right: '2' };
  return channelChoices(sound).includes(sound.channel) ? sound.channel : aliases[sound.channel];
}

/** What of a sound is drawn, classified and played, in words; nothing for a sound of one channel. */
export function channelText(sound) {
  if (!(sound?.channels > 1)) return '';
  const [channel, name] = [chosenChannel(sound), channelName(chosenChannel(sound))];
  return NUMBER.test(channel) ? name : t('channels.said', { channel: name });
}

/** Open another channel of the open sound, or show which it has. */
export function openChannel(channel) {
  const { sound } = state;
  if (!sound || channel === sound.channel) return;
  const exists = [MEAN, ...(sound.channels > 1 ? OF_TWO : [])].includes(channel) || (NUMBER.test(channel) && channel <= sound.channels);
  if (exists) emit('open', { name: sound.name, request: { sound: sound.id, channel, example: sound.example } });
  else showMessage(t('channels.none', { name: sound.name, channel: channel.slice(0, 20), choices: (channelChoices(sound).join(', ') || MEAN) }));
}
