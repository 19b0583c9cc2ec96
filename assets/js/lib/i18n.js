// Messages in the browser's language, and numbers and times formatted for it.

export const language = (globalThis.navigator?.language || 'en').toLowerCase().startsWith('ru') ? 'ru' : 'en';
/** @type {Record<string, string>} */
export let messages = {};
/** @type {Record<string, string>} the display names of the classes by their labels */
export let classNames = {};

let resolveMessages;
/** Resolves once the words are there: modules are mounted in any order, the player brings the words. */
export const messagesReady = new Promise((resolve) => { resolveMessages = resolve; });

/** Take the texts and class names for the browser's language. */
export function setMessages(texts, names) {
  messages = texts[language];
  classNames = names[language];
  document.documentElement.lang = language;
  resolveMessages();
}

/** The text for a key with {names} filled in. */
export function t(key, values = {}) {
  return (messages[key] ?? key).replace(/\{(\w+)\}/g, (_, name) => values[name] ?? '');
}

/** The display name of a class. */
export const className = (label) => classNames[label] ?? label.replaceAll('_', ' ');

/** Whether fingers use the page: nothing hovers, and there is no Shift. */
export function isTouch() {
  return window.matchMedia('(pointer: coarse)').matches;
}

/** The text for a key, in its wording for fingers where they use the page. */
export function tForPointer(key) {
  return t(isTouch() ? `${key}_touch` : key);
}

/** Seconds as a clock shows them: 0:04.50, 12:31, 1:00:00; hundredths only below ten minutes, unless `digits` says otherwise. */
export function formatTime(seconds, digits = seconds < 600 ? 2 : 0) {
  const whole = Number(Math.max(0, seconds).toFixed(digits)); // rounded before it is split: 59.996 is 1:00, not 0:60
  const h = Math.floor(whole / 3600);
  const m = Math.floor((whole % 3600) / 60);
  const s = (whole % 60).toFixed(digits).padStart(digits ? digits + 3 : 2, '0');
  return h ? `${h}:${String(m).padStart(2, '0')}:${s}` : `${m}:${s}`;
}

export function formatNumber(value, digits = 0) {
  return value.toLocaleString(language, { maximumFractionDigits: digits, minimumFractionDigits: digits });
}
