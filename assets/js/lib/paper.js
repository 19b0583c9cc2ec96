// Sizes for print: canvases keep those of the screen, for which they are drawn, and the open plot fills the page.

const PAPER = { width: 1040, height: 640 }; // CSS pixels within the margins of A4 in landscape (see page.py), below the sound's name
const SELECTION = 190; // height of the selection's figures
const MAX_ZOOM = 2; // of a phone's plot
const ATTRIBUTE = 'data-paper';

/** Before each print, note the sizes that the style sheet keeps; until the signal aborts.
 * @param {AbortSignal} signal
 */
export function keepSizesOnPaper(signal) {
  window.addEventListener('beforeprint', () => {
    for (const canvas of document.querySelectorAll('canvas')) keep(canvas.parentElement);
    for (const frame of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('.sg-frame'))) fill(frame);
  }, { signal });
  window.addEventListener('afterprint', () => {
    for (const box of document.querySelectorAll(`[${ATTRIBUTE}]`)) box.removeAttribute(ATTRIBUTE);
  }, { signal });
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
  const plots = [...frame.querySelectorAll(':scope > :is(.sg-plot-above, .sg-plot)')];
  const height = plots.reduce((sum, plot) => sum + plot.getBoundingClientRect().height, 0);
  const figures = frame.closest('.sg-viewer')?.querySelector('.sg-selection:not([data-empty])') ? SELECTION : 0;
  const zoom = Math.min(MAX_ZOOM, PAPER.width / frame.offsetWidth, (PAPER.height - figures) / height);
  frame.style.setProperty('--sg-paper-zoom', zoom.toFixed(3));
}
