// Levels to pixels: each cell as it is, or blended with its neighbours.

/** Columns of levels; by default all, else from `first` on in rows that are `stride` long.
 * @typedef {{levels: Uint8Array, columns: number, stride?: number, first?: number}} Cells
 */

/** Colour levels, a pixel a column.
 * @param {Cells} cells
 * @param {Int32Array} bands the row of levels for each row of pixels
 * @param {Uint32Array} colours
 */
export function crispImage({ levels, columns, stride = columns, first = 0 }, bands, colours) {
  const image = new ImageData(columns, bands.length);
  const pixels = new Uint32Array(image.data.buffer);
  bands.forEach((band, y) => {
    const from = band * stride + first;
    for (let x = 0; x < columns; x++) pixels[y * columns + x] = colours[levels[from + x]];
  });
  return image;
}

/** Blend levels linearly in both directions, and colour them.
 * @param {Cells & {rows: number}} cells
 * @param {Float32Array} down rows of levels at which the rows of pixels lie, 2.5 between two of them
 * @param {Float32Array} across the same of columns
 * @param {Uint32Array} colours
 */
export function smoothImage({ levels, rows, columns, stride = columns, first = 0 }, down, across, colours) {
  const image = new ImageData(across.length, down.length);
  const pixels = new Uint32Array(image.data.buffer);
  const [left, right, weights] = neighbours(across, columns);
  const [below, above, shares] = neighbours(down, rows);
  for (let y = 0, pixel = 0; y < down.length; y++) {
    const [a, b, share] = [below[y] * stride + first, above[y] * stride + first, shares[y]];
    for (let x = 0; x < across.length; x++, pixel++) {
      const weight = weights[x];
      const low = levels[a + left[x]] * (1 - weight) + levels[a + right[x]] * weight;
      const high = levels[b + left[x]] * (1 - weight) + levels[b + right[x]] * weight;
      pixels[pixel] = colours[(low + (high - low) * share + 0.5) | 0];
    }
  }
  return image;
}

/** The cells on both sides of each position, and the weight of the second. */
function neighbours(positions, count) {
  const kept = positions.map((position) => Math.min(Math.max(0, position), count - 1));
  const first = Int32Array.from(kept, Math.floor);
  return [first, first.map((cell) => Math.min(cell + 1, count - 1)), kept.map((position, i) => position - first[i])];
}
