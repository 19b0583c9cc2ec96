// Buttons of the viewer's toolbar, and panels that open under one: one look for all of them.

import { element } from '../lib/dom.js';
import { t } from '../lib/i18n.js';
import { icon } from '../lib/icons.js';

/** A square button with a sign; its name shows as a tip, with the key that does the same. */
export function toolButton(sign, name, key, press) {
  const button = element(`<button type="button" class="sg-tool" data-do="${name.split('.').pop()}">${icon(sign)}</button>`);
  const text = t(name);
  button.title = key ? `${text} (${key})` : text;
  button.setAttribute('aria-label', text);
  if (key) button.setAttribute('aria-keyshortcuts', key.replace('←', 'ArrowLeft').replace('→', 'ArrowRight'));
  button.addEventListener('click', press);
  return button;
}

/** Buttons that belong together. */
export function group(name, ...buttons) {
  const box = element('<div class="sg-group" role="group"></div>');
  box.setAttribute('aria-label', t(name));
  box.append(...buttons);
  return box;
}

/** A button that opens a panel under it: {root, button, panel, close}. Escape and a press elsewhere close it. */
export function menu(sign, name, { text = false } = {}) {
  const root = element('<div class="sg-menu"></div>');
  const button = toolButton(sign, name, '', () => toggle(panel.hidden));
  const panel = element('<div class="sg-panel" role="group" hidden></div>');
  panel.setAttribute('aria-label', t(name));
  button.setAttribute('aria-expanded', 'false');
  if (text) button.append(element('<span></span>'));
  if (text) button.lastChild.textContent = t(name);
  const toggle = (open) => {
    panel.hidden = !open;
    button.setAttribute('aria-expanded', String(open));
    if (open) keepOnScreen(panel);
  };
  root.append(button, panel);
  root.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape' || panel.hidden) return;
    event.preventDefault();
    event.stopPropagation();
    toggle(false);
    button.focus();
  });
  root.addEventListener('focusout', ({ relatedTarget }) => { if (relatedTarget && !root.contains(relatedTarget)) toggle(false); });
  document.addEventListener('pointerdown', ({ target }) => { if (!root.contains(target)) toggle(false); });
  return { root, button, panel, close: () => toggle(false) };
}

/** Move a panel sideways so that it is not cut off by the window's edges. */
function keepOnScreen(panel) {
  panel.style.translate = '';
  const { left, right } = panel.getBoundingClientRect();
  const over = Math.max(0, right - document.documentElement.clientWidth + 8);
  panel.style.translate = `${left < 8 ? 8 - left : -over}px 0`;
}
