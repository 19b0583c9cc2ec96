// The last menu of a viewer's toolbar: what is needed seldom.

import { element } from '../lib/dom.js';
import { t } from '../lib/i18n.js';
import { icon } from '../lib/icons.js';
import { menu } from './menu.js';

const menus = new WeakMap();

/** Add a line to a viewer's last menu; its key shows beside it. */
export function addToMore(viewer, sign, name, key, press) {
  if (!menus.has(viewer)) {
    menus.set(viewer, menu('more', 'viewer_toolbar.more'));
    menus.get(viewer).root.classList.add('sg-right', 'sg-last');
    viewer.toolbar.append(menus.get(viewer).root);
  }
  const { button, panel, close } = menus.get(viewer);
  const line = element(`<button type="button" class="sg-line" data-do="${name.split('.').pop()}">${icon(sign)}<span></span><kbd></kbd></button>`);
  line.querySelector('span').textContent = t(name);
  line.querySelector('kbd').textContent = key;
  line.addEventListener('click', () => {
    close();
    button.focus({ preventScroll: true }); // the line had the focus, and is gone
    press();
  });
  panel.append(line);
}
