// Small static images: the icon of an empty view, thumbnails of levels and envelopes.

import { table } from './colormaps.js';
import { element } from './dom.js';
import { crispImage } from './raster.js';

/** The icon of a view without a sound. */
export function waveIcon() {
  const bars = Array.from({ length: 24 }, (_, i) => {
    const height = 4 + 32 * Math.abs(Math.sin(i * 0.55) * Math.cos(i * 0.21));
    return `<rect x="${i * 5}" y="${20 - height / 2}" width="3" height="${height}" rx="1.5"/>`;
  });
  return element(`<svg viewBox="0 0 120 40" aria-hidden="true">${bars.join('')}</svg>`);
}

/** Paint levels into a canvas, a pixel each, low bands at the bottom.
 * @param {HTMLCanvasElement} canvas
 * @param {{levels: Uint8Array, rows: number, columns: number}} image
 */
export function paintLevels(canvas, image) {
  [canvas.width, canvas.height] = [image.columns, image.rows];
  const bands = Int32Array.from({ length: image.rows }, (_, y) => image.rows - 1 - y);
  canvas.getContext('2d').putImageData(crispImage(image, bands, table('magma')), 0, 0);
}

/** Draw a sound's envelope over a whole canvas, in the canvas's colour.
 * @param {HTMLCanvasElement} canvas
 * @param {Int8Array} levels the least value of each column, then the greatest
 */
export function drawEnvelope(canvas, levels) {
  const ratio = window.devicePixelRatio || 1;
  const { width, height } = canvas.parentElement.getBoundingClientRect();
  if (!width) return;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  const columns = levels.length / 2;
  const context = canvas.getContext('2d');
  context.fillStyle = getComputedStyle(canvas).color;
  const middle = canvas.height / 2;
  for (let x = 0; x < canvas.width; x++) {
    const first = Math.floor((x * columns) / canvas.width);
    const last = Math.max(first + 1, Math.floor(((x + 1) * columns) / canvas.width));
    let low = 127;
    let high = -128;
    for (let c = first; c < last; c++) {
      low = Math.min(low, levels[c]);
      high = Math.max(high, levels[columns + c]);
    }
    const top = middle - (high / 127) * middle * 0.94;
    const bottom = middle - (low / 127) * middle * 0.94;
    context.fillRect(x, top, 1, Math.max(ratio, bottom - top));
  }
}
