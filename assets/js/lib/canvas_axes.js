// Axes, level scale and playhead of plots on a canvas.

import { ticks } from './frequency_axis.js';
import { formatNumber, language, t } from './i18n.js';
import { table } from './colormaps.js';

/** @typedef {{left: number, top: number, width: number, height: number}} Area a plot's area in CSS pixels */

/** CSS pixels between the axes and the plot's edges; in CSS they are --sg-left and so on. */
export const MARGIN = { left: 52, right: 62, top: 22, bottom: 26 };

/** Resize a canvas to its element times the pixel ratio and clear it.
 * @param {HTMLCanvasElement} canvas
 * @param {{width: number, height: number}} size CSS pixels
 * @returns {CanvasRenderingContext2D} scaled to CSS pixels
 */
export function prepareCanvas(canvas, { width, height }) {
  const ratio = pixelRatio();
  const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== w || canvas.height !== h) [canvas.width, canvas.height] = [w, h];
  const context = canvas.getContext('2d');
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return context;
}

/** Device pixels a CSS pixel, at most 3. */
export function pixelRatio() {
  return Math.min(3, window.devicePixelRatio || 1);
}

/** @returns {Area} within the axes of a plot of this size */
export function plotArea({ width, height }, { left, right, top, bottom } = MARGIN) {
  return { left, top, width: Math.max(1, width - left - right), height: Math.max(1, height - top - bottom) };
}

/** Return the label of a frequency: 500, 2k, 1.5k, 1.25k; in Russian, which has no such letter, 1 500. @param {number} hz */
export function frequencyLabel(hz) {
  if (language === 'ru') return formatNumber(hz);
  const digits = [1000, 100, 10].findIndex((step) => hz % step === 0);
  return hz >= 1000 ? `${formatNumber(hz / 1000, Math.max(0, digits))}k` : formatNumber(hz);
}

/** Draw the vertical axis at the left.
 * @param {CanvasRenderingContext2D} context
 * @param {Area} area
 * @param {CSSStyleDeclaration} style of the plot: colour and font
 * @param {any[][]} marks [share from the bottom, text]
 * @param {string} name
 */
export function drawVerticalAxis(context, { left, top, height }, style, marks, name) {
  context.fillStyle = context.strokeStyle = style.color;
  context.font = `11px ${style.fontFamily}`;
  context.lineWidth = 1;
  context.textBaseline = 'middle';
  context.textAlign = 'right';
  for (const [share, text] of marks) {
    const y = top + (1 - share) * height;
    context.fillRect(left - 4, Math.round(y), 4, 1);
    context.fillText(text, left - 7, y);
  }
  context.fillText(name, left - 7, top - 11);
}

/** Draw the time axis under the plot, in the colour and font of the vertical axis.
 * @param {CanvasRenderingContext2D} context
 * @param {Area} area
 * @param {any[][]} marks [share from the left, text]
 * @param {{right?: number, name?: string}} [options] the margin in which the name of the axis ends; in a narrow one it takes the place
 *   of the last labels
 */
export function drawTimeAxis(context, { left, top, width, height }, marks, { right = MARGIN.right, name = t('page.time_axis') } = {}) {
  const bottom = top + height;
  context.textBaseline = 'top';
  for (const [share, text] of marks) {
    const x = left + share * width;
    context.fillRect(Math.round(Math.min(x, left + width - 1)), bottom, 1, 4);
    if (right < 30 && x > left + width - 50) continue;
    const atEnd = x > left + width - 14; // the name of the axis follows
    context.textAlign = atEnd ? 'right' : 'center';
    context.fillText(text, atEnd ? left + width + 3 : x, bottom + 7);
  }
  context.textAlign = 'right';
  context.fillText(name, left + width + right - 2, bottom + 7);
}

/** Draw the colours of the levels at the right of the plot, in the colour and font of the vertical axis.
 * @param {CanvasRenderingContext2D} context
 * @param {Area} area
 * @param {string} colours name of the colour map
 * @param {number[]} range levels of the darkest and of the brightest colour
 * @param {string} unit
 */
export function drawLevelScale(context, { left, top, width, height }, colours, [low, high], unit) {
  const x = left + width + 12;
  const palette = table(colours);
  const ink = context.fillStyle;
  for (let y = 0; y < height; y++) {
    context.fillStyle = cssColour(palette[Math.round(255 * (1 - y / height))]);
    context.fillRect(x, top + y, 10, 1.5);
  }
  context.fillStyle = ink;
  context.textAlign = 'left';
  context.textBaseline = 'middle';
  for (const level of ticks(low, high, Math.max(5, height / 40))) {
    const y = top + (1 - (level - low) / (high - low)) * height;
    context.fillRect(x + 10, Math.round(y), 3, 1);
    context.fillText(formatNumber(level), x + 16, y);
  }
  context.fillText(unit, x, top - 11, MARGIN.right - 12);
}

/** A colour of `table` for CSS. */
export function cssColour(colour) {
  return `rgb(${colour & 255} ${(colour >> 8) & 255} ${(colour >> 16) & 255})`;
}

/** Draw the playhead: a white line with a dark edge.
 * @param {CanvasRenderingContext2D} context
 * @param {Area} area
 * @param {number} x
 */
export function drawPlayhead(context, { left, top, width, height }, x) {
  if (x < left - 1 || x > left + width + 1) return;
  context.fillStyle = 'rgb(0 0 0 / 55%)';
  context.fillRect(x - 1.5, top, 3, height);
  context.fillStyle = '#fff';
  context.fillRect(x - 0.5, top, 1, height);
}
