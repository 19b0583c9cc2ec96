// Buttons for the previous and the next file of the list, while one of them is the open sound.

import { events } from '../core/state.js';
import { filePosition, openFileBy } from '../core/file_list.js';
import { element, find } from '../lib/dom.js';
import { formatNumber, t } from '../lib/i18n.js';

const SKELETON = `<div class="sg-file-navigation" role="group" data-aria="batch.navigation" hidden>
  <button type="button" class="sg-tool" data-step="-1" data-aria="batch.previous">‹</button><output></output>
  <button type="button" class="sg-tool" data-step="1" data-aria="batch.next">›</button></div>`;

/** Return the element. @param {AbortSignal} signal */
export function fileNavigation(signal) {
  const root = element(SKELETON);
  const [back, forward] = [...root.querySelectorAll('button')];
  const show = () => {
    const { index, count, previous, next } = filePosition();
    root.hidden = index < 0 || count < 2;
    find(root, 'output').textContent = t('batch.position', { number: formatNumber(index + 1), count: formatNumber(count) });
    for (const [button, key, file, shortcut] of /** @type {const} */ ([
      [back, 'previous', previous, 'Shift+P'], [forward, 'next', next, 'Shift+N'],
    ])) {
      button.ariaDisabled = String(!file); // a disabled one would lose the focus
      button.title = file ? `${t(`batch.${key}`)} (${shortcut}): ${file.name}` : '';
    }
  };
  root.addEventListener('click', ({ target }) => {
    const step = /** @type {HTMLElement} */ (target).closest('button')?.dataset.step;
    if (step) openFileBy(Number(step));
  });
  for (const name of ['sound', 'file_list']) events.addEventListener(name, show, { signal });
  return root;
}
