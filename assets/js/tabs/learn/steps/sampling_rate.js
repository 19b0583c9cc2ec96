// Step: sampling rate and aliasing.

import { formatHz, formatNumber, t } from '../../../lib/i18n.js';
import { aliasHz, decimated } from '../formulas.js';

const SHOWN = 20; // sampling intervals in the figure
const LOUDNESS = 0.25;
const TONE_RATE = 48_000;
const TONE_S = 1.2;
const FADE_S = 0.02;

const sine = (hz, seconds) => Math.sin(2 * Math.PI * hz * seconds);

/** A tone that fades in and out. */
function tone(hz, rate) {
  return Float32Array.from({ length: Math.round(TONE_S * rate) }, (_, i) => {
    const seconds = i / rate;
    return LOUDNESS * Math.min(1, seconds / FADE_S, (TONE_S - seconds) / FADE_S) * sine(hz, seconds);
  });
}

/** The excerpt at about the chosen rate: every so many samples, unfiltered. */
function roughly({ samples, rate }, wanted) {
  const step = Math.max(1, Math.round(rate / wanted));
  return { samples: decimated(samples, step), rate: rate / step };
}

export default {
  name: 'sampling_rate',
  tab: 'mel',
  sliders: {
    tone: { min: 500, max: 12_000, step: 100, value: 5000, text: (hz) => formatHz(hz) },
    rate: { min: 4000, max: 24_000, step: 1000, value: 8000, text: (hz) => formatHz(hz) },
  },

  draw({ figure }, { tone: hz, rate }) {
    const area = figure.panel();
    const seconds = SHOWN / rate;
    const alias = aliasHz(hz, rate);
    const sign = hz - rate * Math.round(hz / rate) < 0 ? -1 : 1; // a tone mirrored at a multiple of the rate is upside down
    const wave = (frequency, factor) => Array.from({ length: 1200 }, (_, i) => factor * sine(frequency, (seconds * i) / 1199));
    figure.vertical(area, -1.1, 1.1, t('learn.axis_pressure'));
    figure.horizontal(area, 0, 1000 * seconds, t('page.unit_ms'));
    figure.curve(area, wave(hz, 1), -1.1, 1.1, figure.faint, 1);
    figure.curve(area, wave(alias, sign), -1.1, 1.1, figure.accent, 2);
    for (let i = 0; i <= SHOWN; i++) figure.dot(area, (i / SHOWN) * area.width, (sine(hz, i / rate) / 1.1 + 1) / 2, figure.ink, 3.5);
    return { nyquist: formatNumber(rate / 2), hz: formatNumber(hz), alias: formatNumber(alias) };
  },

  /** Sounds to play, by the key of the button's text. */
  sounds: {
    tone: ({ tone: hz }) => ({ samples: tone(hz, TONE_RATE), rate: TONE_RATE }),
    sampled: ({ tone: hz, rate }) => ({ samples: tone(hz, rate), rate }),
    excerpt: (_, { excerpt }) => excerpt,
    decimated: ({ rate }, { excerpt }) => roughly(excerpt, rate),
  },

  open: (_, { rate }) => ({ sample_rate: rate, fmax: rate / 2, fmin: 0 }),
};
