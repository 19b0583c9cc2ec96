// Step: the 3D surface.

import { table } from '../../../lib/colormaps.js';
import { cssColour } from '../../../lib/canvas_axes.js';
import { formatNumber, t } from '../../../lib/i18n.js';
import { melFilters, melLevels } from '../formulas.js';
import { limits } from '../figure.js';

const [SIZE, BANDS, COLUMNS, SHOWN_DB, MOST_HZ] = [1024, 48, 110, 70, 11_025];
const [TILT, HEIGHT] = [0.27, 0.42]; // how far the ground leans away, and how high a full level stands, of the figure

/** Mel levels of the excerpt: `COLUMNS` frames of `BANDS` values between 0 and 1, the loudest, and its place. */
function landscape(lesson) {
  const { rate, samples } = lesson.excerpt;
  const hop = Math.max(1, Math.floor((samples.length - SIZE) / (COLUMNS - 1)));
  const { db, frames, bins } = lesson.spectrogram(SIZE, hop);
  const filters = melFilters(BANDS, 0, Math.min(MOST_HZ, rate / 2));
  const levels = Array.from({ length: frames }, (_, frame) =>
    melLevels(db.subarray(frame * bins, (frame + 1) * bins), filters, rate / SIZE, -200));
  if (frames === 1) levels.push(levels[0]); // a short sound: as wide as it can be drawn
  const { top } = limits(levels.flat());
  const shares = levels.map((column) => column.map((level) => Math.max(0, 1 + (level - top) / SHOWN_DB)));
  const frame = Math.max(0, levels.findIndex((column) => column.includes(top)));
  const seconds = (frame * hop + SIZE / 2) / rate;
  return { shares, seconds, hz: filters[Math.max(0, levels[frame].indexOf(top))].centre };
}

export default {
  name: 'surface',
  tab: 'surface',
  sliders: { angle: { min: -80, max: 80, step: 2, value: 24, text: (degrees) => `${formatNumber(degrees)}°` } },

  draw(lesson, { angle }) {
    const { figure, excerpt } = lesson;
    const { shares, seconds, hz } = landscape(lesson);
    const { width, height } = figure.size;
    const [sin, cos] = [Math.sin((angle * Math.PI) / 180), Math.cos((angle * Math.PI) / 180)];
    const [reach, ground] = [0.4 * Math.min(width, 2 * height), 0.64 * height];
    const frames = shares.length;
    const place = (x, z, level) => { // x: time, z: frequency, both from -1 to 1
      const [across, deep] = [x * cos + z * sin, z * cos - x * sin];
      return [width / 2 + reach * across, ground - TILT * reach * deep - HEIGHT * height * level];
    };
    const at = (i, count) => (count > 1 ? (2 * i) / (count - 1) - 1 : 0);
    const quads = [];
    for (let x = 0; x + 1 < frames; x++) {
      for (let z = 0; z + 1 < BANDS; z++) {
        const corners = [[x, z], [x + 1, z], [x + 1, z + 1], [x, z + 1]];
        const deep = at(z, BANDS) * cos - at(x, frames) * sin;
        quads.push({ corners, deep, level: Math.max(...corners.map(([i, k]) => shares[i][k])) });
      }
    }
    quads.sort((a, b) => b.deep - a.deep); // the painter's algorithm: far ones first
    const palette = table('magma');
    const { context } = figure;
    context.lineWidth = 0.6;
    for (const { corners, level } of quads) {
      context.beginPath();
      for (const [i, k] of corners) context.lineTo(...place(at(i, frames), at(k, BANDS), shares[i][k]));
      context.closePath();
      context.fillStyle = context.strokeStyle = cssColour(palette[Math.round(255 * level)]);
      context.fill();
      context.stroke();
    }
    figure.prepareText();
    context.textAlign = 'center';
    context.textBaseline = 'top';
    context.fillText(t('page.time_axis'), ...place(0, -1.15, 0));
    context.fillText(t('page.unit_hz'), ...place(1.12, 0, 0));
    return {
      rows: formatNumber(BANDS), columns: formatNumber(frames), hz: formatNumber(hz),
      seconds: formatNumber(excerpt.start + seconds, 2),
    };
  },

  open: () => ({}),
};
