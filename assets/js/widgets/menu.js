// Toolbar buttons, and panels that open under one.

import { element } from '../lib/dom.js';
import { t } from '../lib/i18n.js';
import { icon } from '../lib/icons.js';

/** A square button with an icon; its tip is its name and the shortcut.
 * @param {string} sign name of the icon
 * @param {string} name of the message
 * @param {string} key the shortcut, or ''
 * @param {(event: Event) => void} press
 * @returns {HTMLButtonElement}
 */
export function toolButton(sign, name, key, press) {
  const button = element(`<button type="button" class="sg-tool" data-do="${name.split('.').pop()}">${icon(sign)}</button>`);
  const text = t(name);
  button.title = key ? `${text} (${key})` : text;
  button.setAttribute('aria-label', text);
  if (key) button.setAttribute('aria-keyshortcuts', key.replace('←', 'ArrowLeft').replace('→', 'ArrowRight'));
  button.addEventListener('click', press);
  return button;
}

/** A group of buttons.
 * @param {string} name of the message
 * @param {...HTMLElement} buttons
 */
export function group(name, ...buttons) {
  const box = element(`<div class="sg-group" role="group" data-aria="${name}"></div>`);
  box.append(...buttons);
  return box;
}

/** A button that opens a panel under it; Escape and a press elsewhere close it. `close` returns the focus to the button.
 * @param {string} sign name of the icon
 * @param {string} name of the message
 * @param {{text?: boolean, signal?: AbortSignal}} [options] text: the button shows its name, too
 */
export function menu(sign, name, { text = false, signal } = {}) {
  const root = element('<div class="sg-menu"></div>');
  const button = toolButton(sign, name, '', () => toggle(panel.hidden));
  const panel = element(`<div class="sg-panel" role="group" data-aria="${name}" hidden></div>`);
  button.setAttribute('aria-expanded', 'false');
  if (text) button.append(element(`<span data-t="${name}"></span>`));
  const toggle = (open) => {
    panel.hidden = !open;
    button.setAttribute('aria-expanded', String(open));
    if (open) keepOnScreen(panel);
  };
  const close = () => {
    toggle(false);
    button.focus({ preventScroll: true }); // what had it is gone
  };
  root.append(button, panel);
  root.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape' || panel.hidden) return;
    event.preventDefault();
    event.stopPropagation();
    close();
  });
  root.addEventListener('focusout', ({ relatedTarget: next }) => { if (next && !root.contains(next)) toggle(false); });
  document.addEventListener('pointerdown', ({ target }) => { if (!root.contains(target)) toggle(false); }, { signal });
  return { root, button, panel, close };
}

/** Move a panel sideways so that it is not cut off by the window's edges. */
function keepOnScreen(panel) {
  panel.style.translate = '';
  const { left, right } = panel.getBoundingClientRect();
  const over = Math.max(0, right - document.documentElement.clientWidth + 8);
  panel.style.translate = `${left < 8 ? 8 - left : -over}px 0`;
}
