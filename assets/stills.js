// Small pictures that stand still: the sign of an empty view, and levels of parts of the page that only show them.

import { element } from './session.js';
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
