// Small pictures that stand still: the sign of an empty view, and levels of parts of the page that only show them.

import { element } from './dom.js';
import { table } from './colormaps.js';

/** The sign of a view that waits for a sound. */
export function waveIcon() {
  const bars = Array.from({ length: 24 }, (_, i) => {
    const height = 4 + 32 * Math.abs(Math.sin(i * 0.55) * Math.cos(i * 0.21));
    return `<rect x="${i * 5}" y="${20 - height / 2}" width="3" height="${height}" rx="1.5"/>`;
  });
  return element(`<svg viewBox="0 0 120 40" aria-hidden="true">${bars.join('')}</svg>`);
}

/** A small still picture of levels, for parts of the page that show one (class tab). */
export function paintLevels(canvas, { levels, rows, columns }, colours = 'magma') {
  const colourOf = table(colours);
  [canvas.width, canvas.height] = [columns, rows];
  const image = new ImageData(columns, rows);
  const pixels = new Uint32Array(image.data.buffer);
  for (let y = 0; y < rows; y++) {
    for (let x = 0; x < columns; x++) pixels[y * columns + x] = colourOf[levels[(rows - 1 - y) * columns + x]];
  }
  canvas.getContext('2d').putImageData(image, 0, 0);
}

/** A sound's envelope (least values, then greatest, as int8) over the whole of a canvas, in its own colour. */
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
