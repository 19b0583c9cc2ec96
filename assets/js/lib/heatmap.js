// A heat map over a spectrogram: levels in grey, dimmed as the map gets stronger, and coloured where the map is.

const [COOL, HOT] = [[226, 74, 22], [255, 226, 92]]; // dark orange to yellow: distinct from grey in all kinds of colour vision
const DIMMED = 0.45; // how much darker the rest gets at full strength
const GAMMA = 0.45; // below 1: the weaker half stays visible
const KEPT = 0.15; // how much of its level a fully coloured cell still shows

/** Return the image, low bands at the bottom.
 * @param {Uint8Array} levels row by row from the lowest band
 * @param {Uint8Array} heat in the same order
 * @param {number} rows
 * @param {number} columns
 * @param {number} strength 0 to 1
 */
export function heated(levels, heat, rows, columns, strength) {
  const image = new ImageData(columns, rows);
  const glow = Float32Array.from({ length: 256 }, (_, warm) => strength * (warm / 255) ** GAMMA);
  for (let y = 0; y < rows; y++) {
    for (let x = 0; x < columns; x++) {
      const from = (rows - 1 - y) * columns + x;
      const [level, warm, share] = [levels[from], heat[from] / 255, glow[heat[from]]];
      const grey = level * (1 - DIMMED * strength);
      const to = 4 * (y * columns + x);
      for (let c = 0; c < 3; c++) {
        const colour = (COOL[c] + (HOT[c] - COOL[c]) * warm) * (1 - KEPT + (KEPT * level) / 255);
        image.data[to + c] = grey + share * (colour - grey);
      }
      image.data[to + 3] = 255;
    }
  }
  return image;
}
