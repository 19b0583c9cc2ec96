// Messages in the browser's language, and numbers and times formatted for it.

import { wait } from './wait.js';

// a script puts the chosen language in place of the browser's, see esc/ui/server/middleware/page_head.py
export const language = (globalThis.navigator?.language || 'en').toLowerCase().startsWith('ru') ? 'ru' : 'en';
/** @type {Intl.NumberFormat[]} by the number of decimals: one takes longer to make than a plot's numbers to write */
const formats = [];
const decimalSign = (1.5).toLocaleString(language).charAt(1);
/** The texts of the page's language, and of all languages those that are looked up by their wording.
 * @type {{messages: Record<string, string>, class_names: Record<string, string>, tabs: Record<string, string>[],
 *   all_class_names: Record<string, string>[]}} `class_names`: display names by label, in the order of the labels
 */
export const texts = { messages: {}, class_names: {}, tabs: [], all_class_names: [] };

const ready = Promise.withResolvers();
/** Resolves once the player has brought the texts: modules are mounted in any order. */
export const messagesReady = ready.promise;

const RETRY_MS = [500, 2000]; // after a lost connection

async function fetched(url) {
  for (const pause of [...RETRY_MS, null]) {
    const reply = await fetch(url).catch((error) => error);
    if (reply.ok) return reply.json();
    if (pause === null) throw new Error(`${url}: ${reply.status ?? reply}`);
    await wait(pause);
  }
}

/** Load the texts from an address, which the head of the page has named (esc/ui/server/middleware/page_head.py). */
export async function loadTexts(address) {
  Object.assign(texts, await fetched(new URL(address, document.baseURI)));
  document.documentElement.lang = language;
  ready.resolve();
}

/** The text for a key with {names} filled in.
 * @param {string} key
 * @param {Record<string, any>} [values]
 * @returns {string}
 */
export function t(key, values = {}) {
  return (texts.messages[key] ?? key).replace(/\{(\w+)\}/g, (_, name) => values[name] ?? '');
}

/** The display name of a class. */
export const className = (label) => texts.class_names[label] ?? label.replaceAll('_', ' ');

/** Whether the page is used by touch: nothing hovers, and there is no Shift. */
export function isTouch() {
  return window.matchMedia('(pointer: coarse)').matches;
}

/** The text for a key, in its wording for touch where the page is used so. */
export function tForPointer(key, values = {}) {
  return t(isTouch() ? `${key}_touch` : key, values);
}

/** Seconds as on a clock: 0:04.50, 12:31, 1:00:00; by default hundredths below ten minutes. */
export function formatTime(seconds, digits = seconds < 600 ? 2 : 0) {
  const whole = Number(Math.max(0, seconds).toFixed(digits)); // rounded before it is split: 59.996 is 1:00, not 0:60
  const h = Math.floor(whole / 3600);
  const m = Math.floor((whole % 3600) / 60);
  const s = (whole % 60).toFixed(digits).padStart(digits ? digits + 3 : 2, '0').replace('.', decimalSign);
  return h ? `${h}:${String(m).padStart(2, '0')}:${s}` : `${m}:${s}`;
}

/** A time in the sound, to a tenth of a second while that is readable: 0:04.5, 12:31. */
export function formatMoment(seconds) {
  const tenths = Math.round(seconds * 10) / 10;
  return formatTime(tenths, tenths % 1 > 0.05 && tenths < 3600 ? 1 : 0);
}

/** A duration: 4.5 s, 1:05, 1:00:00. */
export function formatDuration(seconds) {
  if (seconds >= 60) return formatMoment(seconds);
  return `${formatNumber(seconds, seconds < 10 && seconds % 1 > 0.05 ? 1 : 0)} ${t('page.unit_s')}`;
}

/** A share as a percentage. */
export function formatPercent(share, digits = 0) {
  return `${formatNumber(100 * share, digits)}\u00a0%`;
}

/** A number in the browser's language with a fixed number of decimals; what rounds to 0 has no sign. */
export function formatNumber(value, digits = 0) {
  formats[digits] ??= new Intl.NumberFormat(
    language, { maximumFractionDigits: digits, minimumFractionDigits: digits, signDisplay: 'negative' },
  );
  return formats[digits].format(value);
}

/** A frequency with its unit. */
export function formatHz(hz, digits = 0) {
  return `${formatNumber(hz, digits)} ${t('page.unit_hz')}`;
}
