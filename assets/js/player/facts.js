// The facts of a sound: its name, length, rate, channels, levels, format, and what the recorder wrote into the file.

import { textElement } from '../lib/dom.js';
import { formatHz, formatNumber, formatTime, t } from '../lib/i18n.js';

/** Fill a list with the facts of a sound. */
export function showFacts(list, sound) {
  const level = (db) => (db === null ? t('page.silence') : `${formatNumber(db, 1)} dBFS`);
  const facts = {
    name: sound.name,
    length: formatTime(sound.seconds),
    rate: formatHz(sound.sample_rate),
    channels: { 1: t('player.mono'), 2: t('player.stereo') }[sound.channels] ?? String(sound.channels),
    peak: level(sound.peak_db),
    rms: level(sound.rms_db),
    format: sound.format,
    ...recordersFacts(sound.metadata),
  };
  list.replaceChildren(...Object.entries(facts).map(([key, value]) => {
    const row = textElement('div', '', key === 'name' ? 'sg-name' : '');
    row.append(textElement('dt', t(`player.fact_${key}`), key === 'name' ? 'sg-visually-hidden' : ''), ' ', textElement('dd', value));
    return row;
  }));
  list.title = [...list.children].map((row) => row.textContent).join(' · ');
}

/** Return what the recorder wrote into the file, for display. */
function recordersFacts({ recorded, expansion, ...others }) {
  const time = recorded?.replace('T', ' ').replace(/([+-]\d\d:\d\d)$/, ' UTC$1');
  return { ...recorded && { recorded: time }, ...expansion && { expansion: `${formatNumber(Number(expansion))}×` }, ...others };
}
