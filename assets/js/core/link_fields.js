// Fields of the page's address that components keep: each reads its own state, and restores it from a link.

import { t } from '../lib/i18n.js';
import { showMessage } from './state.js';

/** @type {Record<string, string>} the tab that a field opens, by its name */
export const FIELD_TABS = { learn: 'learn', compare: 'compare' };
const OF_SOUND = ['harmonics']; // hold for one sound, and are restored once it is open
const SETTINGS = [ // restored to their defaults where a link lacks them
  'features', 'spectrum', 'box', 'speed', 'pitch', 'loop', 'camera', 'of', 'light', 'relief', ...OF_SOUND,
];
export const FIELD_NAMES = [...Object.keys(FIELD_TABS), ...SETTINGS];

/** @type {Map<string, {read: () => string | null, write: (value: string | null) => boolean | void}>} */
const fields = new Map();
/** @type {Map<string, string>} values of a link whose component is not mounted yet */
const waiting = new Map();

/** Keep a field in the address: `read` returns its value, or null for the default; `write` restores it (null: the default)
 *  and returns false for an illegal value.
 * @param {string} name one of FIELD_NAMES
 * @param {() => string | null} read
 * @param {(value: string | null) => boolean | void} write
 * @param {AbortSignal} [signal]
 */
export function keepInLink(name, read, write, signal) {
  fields.set(name, { read, write });
  signal?.addEventListener('abort', () => fields.delete(name));
  if (waiting.has(name) && write(waiting.get(name)) === false) {
    showMessage(t('viewer_toolbar.link_ignored', { fields: name }), 'note');
  }
  waiting.delete(name);
}

/** Keep a setting that is on or off in the address. */
export function keepFlag(name, normal, read, write) {
  keepInLink(name, () => (read() === normal ? null : String(Number(read()))), (value) => {
    const known = [null, '0', '1'].includes(value);
    write(known && value !== null ? value === '1' : normal);
    return known;
  });
}

/** The fields' values, for the address. */
export function linkFields() {
  const now = [...fields].map(([name, { read }]) => [name, read()]).filter(([, value]) => value !== null);
  return Object.fromEntries([...waiting, ...now]);
}

/** Restore what a link holds, at once or when its component is mounted; return the names of illegal fields.
 * @param {URLSearchParams} link
 * @param {boolean} [ofSound] the fields of the sound that has been opened, or all others
 */
export function restoreLinkFields(link, ofSound = false) {
  const wanted = FIELD_NAMES.filter((name) => OF_SOUND.includes(name) === ofSound);
  return wanted.filter((name) => {
    const value = link.get(name);
    waiting.delete(name);
    if (value === null && !SETTINGS.includes(name)) return false;
    if (fields.has(name)) return fields.get(name).write(value) === false;
    if (value !== null) waiting.set(name, value);
    return false;
  });
}
