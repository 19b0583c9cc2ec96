// Plotly, loaded from the Python package when the 3D view first needs it.

import { t } from '../lib/i18n.js';

let loading = null;

/** Load Plotly from `url` once; a failed load is tried again by the next call. */
export function loadPlotly(url) {
  loading ??= new Promise((resolve, reject) => {
    const script = document.createElement('script');
    script.src = url;
    script.onload = () => resolve();
    script.onerror = () => { loading = null; reject(new Error(t('page.offline'))); };
    document.head.append(script);
  });
  return loading;
}

/** Plotly, once it is loaded. */
export const plotly = () => /** @type {any} */ (window).Plotly;

/** What draws a stage by WebGL: its picture is there in the task of `redraw()` alone. */
export const glOf = (stage) => stage._fullLayout.scene._scene.glplot;

/** Whether the browser can draw in 3D. */
export function hasWebgl() {
  const context = document.createElement('canvas').getContext('webgl');
  context?.getExtension('WEBGL_lose_context')?.loseContext(); // browsers limit the contexts of a page
  return Boolean(context);
}
