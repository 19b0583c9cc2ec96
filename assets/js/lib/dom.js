// DOM elements, file addresses and decoded bytes.

import { t } from './i18n.js';

/** Create an element from trusted HTML; user data go in by textContent only. Attributes name messages to fill in:
 * `data-t` for the text, `data-aria` for aria-label, `data-tip` for the title.
 * @param {string} html
 * @returns {any} an HTMLElement of whatever kind the text names
 */
export function element(html) {
  const template = document.createElement('template');
  template.innerHTML = html.trim();
  return translated(template.content).firstElementChild;
}

/** Create an element that holds text.
 * @param {string} tag
 * @param {string} text
 * @param {string} [className]
 */
export function textElement(tag, text, className = '') {
  const node = document.createElement(tag);
  node.className = className;
  node.textContent = text;
  return node;
}

/** Fill in the messages that the attributes of descendants name; see `element`.
 * @template {ParentNode} T
 * @param {T} root
 * @returns {T}
 */
export function translated(root) {
  for (const node of /** @type {NodeListOf<HTMLElement>} */ (root.querySelectorAll('[data-t], [data-aria], [data-tip]'))) {
    const { t: text, aria, tip } = node.dataset;
    if (text) node.textContent = t(text);
    if (aria) node.setAttribute('aria-label', t(aria));
    if (tip) node.title = t(tip);
  }
  return root;
}

/** The whole address of one of the server's public files. */
export function fileUrl(address) {
  return new URL(address, document.baseURI).href;
}

export function decodeBase64(base64) {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = text.charCodeAt(i); // Uint8Array.from is ten times slower
  return bytes;
}

/** Encode bytes, off the main thread.
 * @param {BlobPart} data
 * @returns {Promise<string>}
 */
export function encodeBase64(data) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result).split(',').pop());
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(new Blob([data]));
  });
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

/** Call `move(event, from)` while a press on an element is dragged; `from` is what `begin(event)` returned.
 * @template T
 * @param {HTMLElement} target
 * @param {(event: PointerEvent) => T} begin
 * @param {(event: PointerEvent, from: T) => void} move
 */
export function onDrag(target, begin, move) {
  let from = null;
  target.addEventListener('pointerdown', (event) => {
    from = { value: begin(event) };
    target.setPointerCapture(event.pointerId);
  });
  target.addEventListener('pointermove', (event) => { if (from) move(event, from.value); });
  for (const end of ['pointerup', 'pointercancel']) target.addEventListener(end, () => { from = null; });
}

/** Call `work` when the page turns dark or light, until the signal aborts.
 * @param {() => void} work
 * @param {AbortSignal} [signal]
 */
export function onThemeChange(work, signal) {
  const observer = new MutationObserver(() => work());
  observer.observe(document.body, { attributeFilter: ['class'] });
  signal?.addEventListener('abort', () => observer.disconnect());
}

/** Fetch one of the server's public files; rejects with a message for the user.
 * @param {string} address
 */
export async function fetchFile(address) {
  const file = await fetch(fileUrl(address)).then((answer) => answer.ok && answer.blob()).catch(() => null);
  if (!file) throw new Error(t('page.offline'));
  return file;
}

/** A file's name without its extension. */
export function stem(name) {
  return name.replace(/\.[^.]*$/, '');
}

/** Save data as a file.
 * @param {BlobPart[]} parts
 * @param {string} name
 * @param {string} [type] MIME type
 */
export function saveFile(parts, name, type) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob(parts, { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000); // some browsers fetch it later than the click
}

/** Copy text, also without TLS; return whether that worked. */
export async function toClipboard(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch { // no permission, or no secure context
    const field = element('<textarea readonly></textarea>');
    field.value = text;
    document.body.append(field);
    field.select();
    const done = document.execCommand('copy');
    field.remove();
    return done;
  }
}
