// DOM elements, file addresses and decoded bytes.

/** Create an element from trusted HTML; user data goes in by textContent only.
 * @param {string} html
 * @returns {any} an HTMLElement of whatever kind the text names
 */
export function element(html) {
  const template = document.createElement('template');
  template.innerHTML = html.trim();
  return template.content.firstElementChild;
}

/** The address of a file that the server has put where it serves it from. */
export function fileUrl(path) {
  return new URL(`gradio_api/file=${path.split('/').map(encodeURIComponent).join('/')}`, document.baseURI).href;
}

export function decodeBase64(base64) {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = text.charCodeAt(i); // Uint8Array.from is ten times slower
  return bytes;
}

/** Return the first descendant that matches, of whatever kind.
 * @param {ParentNode} root
 * @param {string} selector
 * @returns {any}
 */
export function find(root, selector) {
  return root.querySelector(selector);
}

/** Call `work` when an element is laid out, resized, shown or hidden, until the signal aborts.
 * @param {Element} target
 * @param {() => void} work
 * @param {AbortSignal} [signal]
 */
export function onResize(target, work, signal) {
  const observer = new ResizeObserver(() => work());
  observer.observe(target);
  signal?.addEventListener('abort', () => observer.disconnect());
}

/** @type {Set<() => void>} */
const themeListeners = new Set();
/** @type {MutationObserver | undefined} */
let themeObserver;

/** Call `work` when the page turns dark or light, until the signal aborts; one observer serves all.
 * @param {() => void} work
 * @param {AbortSignal} [signal]
 */
export function onThemeChange(work, signal) {
  if (!themeObserver) {
    themeObserver = new MutationObserver(() => themeListeners.forEach((listener) => listener()));
    themeObserver.observe(document.body, { attributes: true, attributeFilter: ['class'] });
  }
  themeListeners.add(work);
  signal?.addEventListener('abort', () => themeListeners.delete(work));
}
