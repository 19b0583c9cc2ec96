// Gradio's tabs as one Tab stop, in which the arrow keys move (ARIA Authoring Practices, tabs pattern); Enter and Space open one.

import { MOVES } from './roving_focus.js';

/** The tabs of a tab list that are on screen. @type {(list: Element) => HTMLElement[]} */
const tabsOf = (list) => /** @type {HTMLElement[]} */ ([...list.querySelectorAll('[role=tab]')]).filter((tab) => tab.offsetParent);

/** Act on each tab list of the page until the signal aborts.
 * @param {AbortSignal} signal
 */
export function rovingTabs(signal) {
  document.addEventListener('keydown', (event) => {
    if (event.key === 'Tab') for (const list of document.querySelectorAll('[role=tablist]')) leaveOneStop(list);
    else move(event);
  }, { signal });
}

/** Just before Tab moves the focus: Gradio renders its tabs anew, and without a tabindex. */
function leaveOneStop(list) {
  const tabs = tabsOf(list);
  const stop = tabs.find((tab) => tab === document.activeElement) ??
    tabs.find((tab) => tab.getAttribute('aria-selected') === 'true') ?? tabs[0];
  for (const tab of tabs) tab.tabIndex = tab === stop ? 0 : -1;
}

function move(event) {
  const list = event.target.closest('[role=tab]')?.closest('[role=tablist]');
  const by = MOVES[event.key];
  if (!list || !by || event.defaultPrevented || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const tabs = tabsOf(list);
  tabs[Math.min(tabs.length - 1, Math.max(0, tabs.indexOf(event.target) + by))].focus();
}
