// The browser's storage, which may be off or hold something else.

/** What is stored under a key, from JSON; null: nothing.
 * @param {string} key
 * @returns {any}
 */
export function localStored(key) {
  try {
    return JSON.parse(localStorage.getItem(key));
  } catch {
    return null;
  }
}

/** Store something as JSON; without storage it lasts no longer than the page. */
export function localStore(key, value) {
  try {
    localStorage.setItem(key, JSON.stringify(value));
  } catch { // as said
  }
}
