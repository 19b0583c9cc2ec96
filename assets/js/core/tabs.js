// The page's tabs by name, found by their text: Gradio gives their buttons no name of ours, and may write another language.

import { texts } from '../lib/i18n.js';

const PREFIX = 'page.tab_';
const buttons = () => // a phone has some in a menu
  [.../** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('[role=tab], .overflow-dropdown button'))];
const nameOf = (button) => {
  const text = button.textContent.trim();
  const says = (key) => texts.tabs.some((names) => names[key] === text);
  return Object.keys(texts.tabs[0] ?? {}).find(says)?.slice(PREFIX.length);
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
