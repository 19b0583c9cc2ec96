// A viewer on the whole screen; where the browser can't, on the whole window.

import { toolButton } from '../widgets/menu.js';
import { extend } from './viewer.js';

extend((viewer) => ({ keys: fullScreen(viewer) }));

/** Give a viewer's toolbar the button; return its key. */
export function fullScreen(viewer) {
  const stage = viewer.host.querySelector('.sg-stage');
  const button = toolButton('full', 'viewer_toolbar.full_screen', 'F', toggle);
  button.classList.add('sg-right');
  viewer.toolbar.append(button);
  const filled = () => document.fullscreenElement === stage || stage.hasAttribute('data-full');
  const tell = () => {
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
    tell();
  }
  document.addEventListener('fullscreenchange', tell);
  stage.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape' || event.defaultPrevented || !stage.hasAttribute('data-full')) return;
    event.preventDefault();
    fill(false);
  });
  return { f: { word: 'viewer_toolbar.full_screen', group: 'display', run: toggle } };
}
