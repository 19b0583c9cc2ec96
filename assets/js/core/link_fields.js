// Fields of the page's address that belong to a tab of their own, such as the lesson's step.

/** @type {Record<string, string>} the tab that a field opens, by its name */
export const FIELD_TABS = { learn: 'learn', compare: 'compare' };

/** @type {Map<string, {read: () => string | null, write: (value: string) => void}>} */
const fields = new Map();
/** @type {Map<string, string>} values of a link whose component is not mounted yet */
const waiting = new Map();

/** Keep a field in the address: `read` returns its value, or null for none; `write` restores it.
 * @param {string} name one of FIELD_TABS
 * @param {() => string | null} read
 * @param {(value: string) => void} write
 * @param {AbortSignal} signal
 */
export function keepInLink(name, read, write, signal) {
  fields.set(name, { read, write });
  signal.addEventListener('abort', () => fields.delete(name));
  if (waiting.has(name)) write(waiting.get(name));
  waiting.delete(name);
}

/** The fields' values, for the address. */
export function linkFields() {
  return Object.fromEntries([...fields].map(([name, { read }]) => [name, read()]).filter(([, value]) => value !== null));
}

/** Restore what a link holds, at once or when its component is mounted.
 * @param {URLSearchParams} link
 */
export function restoreLinkFields(link) {
  for (const name of Object.keys(FIELD_TABS)) {
    if (!link.has(name)) continue;
    if (fields.has(name)) fields.get(name).write(link.get(name));
    else waiting.set(name, link.get(name));
  }
}
