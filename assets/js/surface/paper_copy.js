// The 3D view on paper.

import { glOf } from './plotly.js';

/** Draw a surface before each print: browsers print of WebGL only what the same task has drawn.
 * @param {any} surface
 */
export function printable(surface) {
  window.addEventListener('beforeprint', () => {
    if (surface.drawn && surface.onScreen) glOf(surface.stage).redraw();
  }, { signal: surface.signal });
}
