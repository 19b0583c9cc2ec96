// The last menu of a viewer's toolbar, for rarely used actions.

import { element } from '../lib/dom.js';
import { icon } from '../lib/icons.js';
import { menu } from './menu.js';

const menus = new WeakMap();

/** Add a line to a viewer's last menu, with its shortcut.
 * @param {{toolbar: HTMLElement, signal?: AbortSignal}} viewer
 * @param {string} sign name of the icon
 * @param {string} name of the message
 * @param {string} key the shortcut, or ''
 * @param {() => void} press
 */
export function addToMore(viewer, sign, name, key, press) {
  if (!menus.has(viewer)) {
    menus.set(viewer, menu('more', 'viewer_toolbar.more', { signal: viewer.signal }));
    menus.get(viewer).root.classList.add('sg-right', 'sg-last');
    viewer.toolbar.append(menus.get(viewer).root);
  }
  const { panel, close } = menus.get(viewer);
  const line = element(`<button type="button" class="sg-line" data-do="${name.split('.').pop()}">${icon(sign)}
    <span data-t="${name}"></span><kbd></kbd></button>`);
  line.querySelector('kbd').textContent = key;
  line.addEventListener('click', () => {
    close();
    press();
  });
  panel.append(line);
}
