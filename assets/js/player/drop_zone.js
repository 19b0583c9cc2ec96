// Drops of files on the page.

import { areMany, dropped, gather } from '../core/dropped_files.js';
import { emit } from '../core/state.js';
import { currentTab, openTab } from '../core/tabs.js';

/** Open a dropped file, or list several in the batch tab; in the teach tab all are examples. The whole page accepts drops: a near miss must not leave the page.
 * @param {HTMLElement} root marked while files are dragged
 * @param {(file: File | undefined) => void} openFile
 * @param {AbortSignal} signal
 */
export function acceptDrops(root, openFile, signal) {
  let depth = 0;
  const on = (name, work) => window.addEventListener(name, (event) => {
    event.preventDefault();
    depth = work(event);
    root.toggleAttribute('data-drag', depth > 0);
  }, { signal });
  window.addEventListener('dragover', (event) => event.preventDefault(), { signal });
  on('dragenter', () => depth + 1);
  on('dragleave', () => depth - 1);
  on('drop', ({ dataTransfer }) => {
    if (currentTab() === 'teach') {
      dropped.examples = gather(dataTransfer);
      emit('dropped');
    } else if (areMany(dataTransfer)) {
      dropped.wanted = gather(dataTransfer);
      openTab('files');
      emit('dropped');
    } else openFile(dataTransfer?.files[0]);
    return 0;
  });
}
