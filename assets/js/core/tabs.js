// The page's tabs by name, found by their text: Gradio gives their buttons no name of ours.

import { messages } from '../lib/i18n.js';

const PREFIX = 'page.tab_';
const buttons = () => // a phone has some in a menu
  [.../** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('[role=tab], .overflow-dropdown button'))];
const nameOf = (button) => {
  const text = button.textContent.trim();
  return Object.keys(messages).find((key) => key.startsWith(PREFIX) && messages[key] === text)?.slice(PREFIX.length);
};

/** The name of the tab that is open: 'mel', 'classify', ... */
export function currentTab() {
  const open = buttons().find((button) => button.getAttribute('aria-selected') === 'true');
  return open && nameOf(open);
}

/** Open a tab by its name; false where there is none. */
export function openTab(name) {
  const button = buttons().find((one) => nameOf(one) === name);
  button?.click();
  return Boolean(button);
}
