// Charts as SVG in the page's colours: lines over epochs, and a reliability diagram.

import { formatNumber } from './i18n.js';
import { ticks } from './frequency_axis.js';

const NAMESPACE = 'http://www.w3.org/2000/svg';
const [WIDTH, HEIGHT] = [460, 260];
const AREA = { left: 48, right: 12, top: 12, bottom: 40 };

function make(name, attributes = {}, text = null) {
  const part = document.createElementNS(NAMESPACE, name);
  for (const [key, value] of Object.entries(attributes)) part.setAttribute(key, value);
  if (text !== null) part.textContent = text;
  return part;
}

/** Return an empty chart with axes, and its two scales.
 * @param {string} label
 * @param {[low: number, high: number, label: string]} x
 * @param {[low: number, high: number, label: string]} y
 */
function frame(label, x, y) {
  const drawing = make('svg', { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: 'img', 'aria-label': label, class: 'sg-chart' });
  const toX = (value) => AREA.left + ((value - x[0]) / (x[1] - x[0])) * (WIDTH - AREA.left - AREA.right);
  const toY = (value) => HEIGHT - AREA.bottom - ((value - y[0]) / (y[1] - y[0])) * (HEIGHT - AREA.top - AREA.bottom);
  const digits = (marks) => (marks.length > 1 ? Math.max(0, -Math.floor(Math.log10(marks[1] - marks[0]) + 1e-9)) : 0);
  const [across, up] = [ticks(x[0], x[1], 6), ticks(y[0], y[1], 5)];
  for (const value of up) {
    drawing.append(make('line', { x1: AREA.left, x2: WIDTH - AREA.right, y1: toY(value), y2: toY(value), class: 'sg-grid' }));
    drawing.append(make('text', { x: AREA.left - 6, y: toY(value) + 4, 'text-anchor': 'end' }, formatNumber(value, digits(up))));
  }
  for (const value of across) {
    drawing.append(make('text', { x: toX(value), y: HEIGHT - AREA.bottom + 16, 'text-anchor': 'middle' }, formatNumber(value, digits(across))));
  }
  const middle = AREA.left + (WIDTH - AREA.left - AREA.right) / 2;
  drawing.append(make('text', { x: middle, y: HEIGHT - 6, 'text-anchor': 'middle' }, x[2]));
  drawing.append(make('text', { x: 12, y: HEIGHT / 2 - 12, 'text-anchor': 'middle', transform: `rotate(-90 12 ${HEIGHT / 2 - 12})` }, y[2]));
  return { drawing, toX, toY };
}

/** Return a line chart; points without a y are left out.
 * @param {string} label
 * @param {string} xLabel
 * @param {string} yLabel
 * @param {any[][]} series [kind, points as [x, y][]]
 * @param {number | null} [most] the top of the vertical axis
 */
export function lines(label, xLabel, yLabel, series, most = null) {
  const points = series.flatMap(([, all]) => all).filter(([, y]) => y !== null);
  const [first, last] = [Math.min(...points.map(([x]) => x)), Math.max(...points.map(([x]) => x))];
  const high = most ?? 1.05 * Math.max(...points.map(([, y]) => y));
  const { drawing, toX, toY } = frame(label, [first, Math.max(last, first + 1), xLabel], [0, high, yLabel]);
  for (const [kind, all] of series) {
    const shown = all.filter(([, y]) => y !== null);
    drawing.append(make('polyline', { points: shown.map(([x, y]) => `${toX(x).toFixed(1)},${toY(y).toFixed(1)}`).join(' '), class: `sg-line sg-${kind}` }));
    if (shown.length < 40) for (const [x, y] of shown) drawing.append(make('circle', { cx: toX(x), cy: toY(y), r: 2.5, class: `sg-dot sg-${kind}` }));
  }
  return drawing;
}

/** Return a reliability diagram: the accuracy in each bin of confidence, fainter with few clips.
 * @param {string} label
 * @param {string} xLabel
 * @param {string} yLabel
 * @param {{low: number, high: number, clips: number, accuracy: number, confidence: number}[]} bins
 * @param {(bin: any) => string} titleOf
 */
export function reliability(label, xLabel, yLabel, bins, titleOf) {
  const { drawing, toX, toY } = frame(label, [0, 1, xLabel], [0, 1, yLabel]);
  const most = Math.max(...bins.map((bin) => bin.clips), 1);
  for (const bin of bins.filter((one) => one.clips)) {
    const bar = make('rect', {
      x: toX(bin.low) + 1, width: Math.max(1, toX(bin.high) - toX(bin.low) - 2), y: toY(bin.accuracy),
      height: Math.max(0, toY(0) - toY(bin.accuracy)), class: 'sg-bin', 'fill-opacity': (0.3 + 0.7 * Math.sqrt(bin.clips / most)).toFixed(2),
    });
    bar.append(make('title', {}, titleOf(bin)));
    drawing.append(bar);
  }
  drawing.append(make('line', { x1: toX(0), y1: toY(0), x2: toX(1), y2: toY(1), class: 'sg-ideal' }));
  for (const bin of bins.filter((one) => one.clips)) {
    drawing.append(make('circle', { cx: toX(bin.confidence), cy: toY(bin.accuracy), r: 3, class: 'sg-dot sg-valid' }));
  }
  return drawing;
}
