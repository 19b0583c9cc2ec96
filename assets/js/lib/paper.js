// Print: canvases keep the sizes of the screen, for which they are drawn, the open plot fills the page, and the colours are
// those of the light theme, in which every canvas is drawn anew as soon as the listener returns (`onThemeChange`).

const PAPER = { width: 1040, height: 640 }; // CSS pixels within the margins of A4 in landscape (see page.py), below the sound's name
const SELECTION = 190; // height of the selection's figures
const MAX_ZOOM = 2; // of a phone's plot
const ATTRIBUTE = 'data-paper';

/** Before each print, note the sizes that the style sheet keeps, and turn a dark page light; until the signal aborts.
 * @param {AbortSignal} signal
 */
export function preparePaper(signal) {
  const theme = document.body.classList;
  let dark = false;
  window.addEventListener('beforeprint', () => {
    for (const canvas of document.querySelectorAll('canvas')) keep(canvas.parentElement);
    for (const frame of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('.sg-frame'))) fill(frame);
    if (!theme.contains('dark')) return;
    dark = true;
    theme.remove('dark');
    renderCanvases('pixelated'); // else Chromium repeats the drawing, and loses part of what no frame has shown yet
  }, { signal });
  window.addEventListener('afterprint', () => {
    for (const box of document.querySelectorAll(`[${ATTRIBUTE}]`)) box.removeAttribute(ATTRIBUTE);
    if (!dark) return;
    dark = false;
    theme.add('dark');
    renderCanvases('');
  }, { signal });
}

/** @param {string} rendering */
function renderCanvases(rendering) {
  for (const canvas of document.querySelectorAll('canvas')) canvas.style.imageRendering = rendering;
}

/** @param {HTMLElement} box */
function keep(box) {
  const { offsetWidth: width, offsetHeight: height } = box;
  if (!width || !height || box.hasAttribute(ATTRIBUTE)) return; // of a tab that is not open, or noted already
  box.setAttribute(ATTRIBUTE, '');
  box.style.setProperty('--sg-paper-width', `${width}px`);
  box.style.setProperty('--sg-paper-height', `${height}px`);
}

/** @param {HTMLElement} frame with a plot */
function fill(frame) {
  if (frame.hasAttribute(ATTRIBUTE)) return;
  keep(frame);
  const plots = [...frame.querySelectorAll(':scope > :is(.sg-plot-above, .sg-plot, .sg-pane)')];
  const height = plots.reduce((sum, plot) => sum + plot.getBoundingClientRect().height, 0);
  const figures = frame.closest('.sg-viewer')?.querySelector('.sg-selection:not([data-empty])') ? SELECTION : 0;
  const zoom = Math.min(MAX_ZOOM, PAPER.width / frame.offsetWidth, (PAPER.height - figures) / height);
  frame.style.setProperty('--sg-paper-zoom', zoom.toFixed(3));
}
