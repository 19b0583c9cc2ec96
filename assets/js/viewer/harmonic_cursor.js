// The harmonic cursor: lines at the multiples of the frequency under the pointer; a click keeps them where they are.

import { emit, events, state } from '../core/state.js';
import { formatNumber, t } from '../lib/i18n.js';
import { toolButton } from '../widgets/menu.js';
import { extend } from './viewer.js';

const MOST = 40;
const LEAST_GAP = 15; // CSS pixels that a label needs
const DENSE = 6; // CSS pixels: lines that lie closer hide the picture
const NARROW = 320; // CSS pixels of a plot that has no room for long labels
const CLICK = 4; // a press that moved further was a drag

const cursor = { on: false, hz: null, kept: false }; // one for all views: what is compared stays when the view changes

function change(settings) {
  Object.assign(cursor, settings);
  emit('harmonics');
}

const toggle = () => change({ on: !cursor.on, hz: null, kept: false });

events.addEventListener('sound', () => change({ hz: null, kept: false }));

/** The multiples of a frequency up to the highest that is shown. */
export function harmonics(hz, highest) {
  if (!(hz > 0)) return [];
  return Array.from({ length: Math.min(MOST, Math.floor(highest / hz + 1e-9)) }, (_, i) => (i + 1) * hz);
}

extend((viewer) => {
  if (!viewer.pitched) return {};
  const button = toolButton('harmonics', 'measurements.harmonics', 'H', toggle);
  viewer.toolbar.append(button);
  const show = () => {
    button.setAttribute('aria-pressed', String(cursor.on));
    if (!cursor.on) delete viewer.plot.dataset.harmonics;
    viewer.drawOverlay();
  };
  events.addEventListener('harmonics', show);
  show();
  let pressed = null;
  viewer.plot.addEventListener('pointercancel', () => { pressed = null; });
  viewer.plot.addEventListener('pointerup', ({ clientX, clientY }) => {
    const clicked = pressed && Math.hypot(clientX - pressed.clientX, clientY - pressed.clientY) <= CLICK;
    if (cursor.on && clicked && viewer.current() && viewer.inside(pressed.at)) change({ hz: viewer.hzAt(pressed.at.y), kept: true });
    pressed = null;
  });
  return {
    keys: { h: { word: 'measurements.key_harmonics', group: 'tools', run: toggle } },
    point: (at) => { if (cursor.on && !cursor.kept && at?.hz > 0) change({ hz: at.hz }); },
    grab: (at, { clientX, clientY }) => {
      pressed = { at, clientX, clientY };
      return null; // the press itself is for others
    },
    overlay: (context) => { if (cursor.on && cursor.hz && state.sound) draw(context, viewer); },
  };
});

function draw(context, viewer) {
  const { left, width } = viewer.area();
  const lines = harmonics(cursor.hz, viewer.axis().high);
  viewer.plot.dataset.harmonics = lines.map((hz) => viewer.yOf(hz).toFixed(1)).join(' ');
  context.font = `11px ${getComputedStyle(viewer.plot).fontFamily}`;
  context.textBaseline = 'middle';
  context.textAlign = 'right';
  const seen = [];
  lines.forEach((hz, i) => {
    const y = viewer.yOf(hz);
    if (seen.length && seen.at(-1).y - y < DENSE) return;
    const factor = width < NARROW ? `${i + 1}:` : `${i + 1} × ${formatNumber(cursor.hz, 1)} =`;
    seen.push({ y, text: i ? `${factor} ${formatNumber(hz)}` : formatNumber(hz, 1) });
    for (const [colour, thick] of [['rgb(0 0 0 / 55%)', 3], [i ? 'rgb(140 225 255 / 90%)' : '#fff', 1]]) {
      context.fillStyle = colour;
      context.fillRect(left, y - thick / 2, width, thick);
    }
  });
  let label = Infinity;
  for (const { y, text } of seen) {
    if (label - y < LEAST_GAP) continue;
    label = y;
    write(context, `${text} ${t('page.unit_hz')}`, left + width - 6, y);
  }
}

/** A label on its line, from the right. */
function write(context, text, x, y) {
  const { width } = context.measureText(text);
  context.fillStyle = 'rgb(0 0 0 / 72%)';
  context.fillRect(x - width - 4, y - 7, width + 8, 14);
  context.fillStyle = '#fff';
  context.fillText(text, x, y + 0.5);
}
