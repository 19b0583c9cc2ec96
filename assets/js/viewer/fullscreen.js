// Full screen of a view, or the whole window where the browser has no full screen.

import { toolButton } from '../widgets/menu.js';
import { shortcut } from './shortcuts.js';

/** Add the button to a view's toolbar; return its shortcut. */
export function fullScreen(viewer) {
  const stage = viewer.find('.sg-stage');
  const button = toolButton('full', 'viewer_toolbar.full_screen', 'F', toggle);
  button.classList.add('sg-right');
  viewer.toolbar.append(button);
  const filled = () => document.fullscreenElement === stage || stage.hasAttribute('data-full');
  const update = () => {
    button.setAttribute('aria-pressed', String(filled()));
    viewer.redraw();
    viewer.refresh();
  };
  function toggle() {
    if (document.fullscreenElement) document.exitFullscreen();
    else if (stage.hasAttribute('data-full')) fill(false);
    else if (stage.requestFullscreen) stage.requestFullscreen().catch(() => fill(true));
    else fill(true); // an iPhone
  }
  function fill(on) {
    stage.toggleAttribute('data-full', on);
    update();
  }
  document.addEventListener('fullscreenchange', update, { signal: viewer.signal });
  stage.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape' || event.defaultPrevented || !stage.hasAttribute('data-full')) return;
    event.preventDefault();
    fill(false);
  });
  return { keys: { f: shortcut('viewer_toolbar.full_screen', 'display', toggle) } };
}
