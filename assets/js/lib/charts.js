// Charts as SVG in the page's colours: lines over epochs, and a reliability diagram.

import { element } from './dom.js';
import { tickDigits, ticks } from './frequency_axis.js';
import { formatNumber } from './i18n.js';

const [LEFT, RIGHT, TOP, BOTTOM] = [48, 448, 12, 220]; // the plot's edges in a drawing of 460 by 260

/** Return a chart: axes with ticks, and what `draw` returns for its two scales.
 * @param {string} label
 * @param {[low: number, high: number, label: string]} x
 * @param {[low: number, high: number, label: string]} y
 * @param {(toX: (value: number) => number, toY: (value: number) => number) => string[]} draw
 */
function chart(label, x, y, draw) {
  const toX = (value) => LEFT + ((value - x[0]) / (x[1] - x[0])) * (RIGHT - LEFT);
  const toY = (value) => BOTTOM - ((value - y[0]) / (y[1] - y[0])) * (BOTTOM - TOP);
  const marks = (axis, count) => {
    const values = ticks(axis[0], axis[1], count);
    return values.map((value) => [value, formatNumber(value, tickDigits(values))]);
  };
  const svg = element(`<svg viewBox="0 0 460 260" role="img" class="sg-chart">
    ${marks(y, 5).map(([value, text]) => `<path d="M${LEFT} ${toY(value)}H${RIGHT}" class="sg-grid"/>
      <text x="42" y="${toY(value)}" dy="4" text-anchor="end">${text}</text>`).join('')}
    ${marks(x, 6).map(([value, text]) => `<text x="${toX(value)}" y="236" text-anchor="middle">${text}</text>`).join('')}
    <text x="248" y="254" text-anchor="middle">${x[2]}</text>
    <text x="12" y="118" text-anchor="middle" transform="rotate(-90 12 118)">${y[2]}</text>
    ${draw(toX, toY).join('')}</svg>`);
  svg.setAttribute('aria-label', label);
  return svg;
}

/** Return a line chart; points without a y are left out.
 * @param {string} label
 * @param {string} xLabel
 * @param {string} yLabel
 * @param {any[][]} series [kind, points as [x, y][]]
 * @param {number | null} [most] the top of the vertical axis
 */
export function lines(label, xLabel, yLabel, series, most = null) {
  const measured = series.map(([kind, points]) => [kind, points.filter(([, y]) => y !== null)]);
  const all = measured.flatMap(([, points]) => points);
  const [first, last] = [Math.min(...all.map(([x]) => x)), Math.max(...all.map(([x]) => x))];
  const high = most ?? 1.05 * Math.max(...all.map(([, y]) => y));
  const axes = /** @type {[any, any]} */ ([[first, Math.max(last, first + 1), xLabel], [0, high, yLabel]]);
  return chart(label, ...axes, (toX, toY) => measured.flatMap(([kind, points]) => {
    const dot = ([x, y]) => `<circle cx="${toX(x)}" cy="${toY(y)}" r="2.5" class="sg-point sg-${kind}"/>`;
    const line = points.map(([x, y]) => `${toX(x)},${toY(y)}`).join(' ');
    return [`<polyline points="${line}" class="sg-curve sg-${kind}"/>`, ...(points.length < 40 ? points.map(dot) : [])];
  }));
}

/** Return a reliability diagram: the accuracy in each bin of confidence, fainter with few clips.
 * @param {string} label
 * @param {string} xLabel
 * @param {string} yLabel
 * @param {{low: number, high: number, clips: number, accuracy: number, confidence: number}[]} bins
 * @param {(bin: any) => string} titleOf
 */
export function reliability(label, xLabel, yLabel, bins, titleOf) {
  const filled = bins.filter((bin) => bin.clips);
  const most = Math.max(...filled.map((bin) => bin.clips));
  return chart(label, [0, 1, xLabel], [0, 1, yLabel], (toX, toY) => [
    ...filled.map((bin) => `<rect x="${toX(bin.low) + 1}" width="${toX(bin.high) - toX(bin.low) - 2}"
      y="${toY(bin.accuracy)}" height="${BOTTOM - toY(bin.accuracy)}"
      class="sg-bin" fill-opacity="${0.3 + 0.7 * Math.sqrt(bin.clips / most)}"><title>${titleOf(bin)}</title></rect>`),
    `<path d="M${LEFT} ${BOTTOM}L${RIGHT} ${TOP}" class="sg-ideal"/>`,
    ...filled.map((bin) => `<circle cx="${toX(bin.confidence)}" cy="${toY(bin.accuracy)}" r="3" class="sg-point sg-valid"/>`),
  ]);
}
