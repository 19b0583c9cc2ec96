// Harmonic cursor: lines at the multiples of the frequency under the pointer; a click holds them.

import { keepInLink } from '../core/link_fields.js';
import { emit, events } from '../core/state.js';
import { formatNumber, t } from '../lib/i18n.js';
import { toolButton } from '../widgets/menu.js';
import { shortcut } from './shortcuts.js';

const MAX_LINES = 40;
const MIN_LABEL_GAP = 15; // CSS pixels that a label needs
const MIN_LINE_GAP = 6; // CSS pixels: closer lines would cover the image
const NARROW = 320; // CSS pixels: a narrower plot gets short labels

const cursor = { on: false, hz: null, kept: false }; // shared by all views

function change(settings) {
  Object.assign(cursor, settings);
  emit('harmonics');
}

const toggle = () => change({ on: !cursor.on, hz: null, kept: false });

events.addEventListener('sound', () => change({ hz: null, kept: false }));

const readCursor = () => (cursor.kept ? cursor.hz.toFixed(2) : 'on');
keepInLink('harmonics', () => (cursor.on ? readCursor() : null), (value) => {
  const hz = value === null || value === 'on' ? null : Number(value || NaN);
  const legal = hz === null || (hz > 0 && hz < 1e6);
  change(legal ? { on: value !== null, hz, kept: hz !== null } : { on: false, hz: null, kept: false });
  return legal;
});

/** The multiples of a frequency up to `highest`. */
export function harmonics(hz, highest) {
  if (!(hz > 0)) return [];
  return Array.from({ length: Math.min(MAX_LINES, Math.floor(highest / hz + 1e-9)) }, (_, i) => (i + 1) * hz);
}

export function harmonicCursor(viewer) {
  if (!viewer.pitched) return {};
  const button = toolButton('harmonics', 'measurements.harmonics', 'H', toggle);
  viewer.toolbar.append(button);
  const show = () => {
    button.setAttribute('aria-pressed', String(cursor.on));
    viewer.drawOverlay();
  };
  viewer.onState('harmonics', show);
  show();
  return {
    keys: { h: shortcut('measurements.key_harmonics', 'tools', toggle) },
    point: (at) => { if (cursor.on && !cursor.kept && at?.hz > 0) change({ hz: at.hz }); },
    click: ({ y }) => { if (cursor.on) change({ hz: viewer.hzAt(y), kept: true }); },
    overlay: (context) => { if (cursor.on && cursor.hz) draw(context, viewer); },
  };
}

function draw(context, viewer) {
  const { left, width } = viewer.area();
  const lines = harmonics(cursor.hz, viewer.axis().high);
  context.font = `11px ${getComputedStyle(viewer.plot).fontFamily}`;
  context.textBaseline = 'middle';
  context.textAlign = 'right';
  let [lowest, label] = [Infinity, Infinity]; // heights of the last line and of the last label
  const labels = []; // above all lines
  lines.forEach((hz, i) => {
    const y = viewer.yOf(hz);
    if (lowest - y < MIN_LINE_GAP) return;
    lowest = y;
    context.fillStyle = 'rgb(0 0 0 / 55%)';
    context.fillRect(left, y - 1.5, width, 3);
    context.fillStyle = i ? 'rgb(140 225 255 / 90%)' : '#fff';
    context.fillRect(left, y - 0.5, width, 1);
    if (label - y < MIN_LABEL_GAP) return;
    label = y;
    const factor = width < NARROW ? `${i + 1}:` : `${i + 1} × ${formatNumber(cursor.hz, 1)} =`;
    labels.push({ y, text: i ? `${factor} ${formatNumber(hz)}` : formatNumber(hz, 1) });
  });
  for (const { y, text } of labels) write(context, `${text} ${t('page.unit_hz')}`, left + width - 6, y);
}

/** A label on its line, right-aligned. */
function write(context, text, x, y) {
  const { width } = context.measureText(text);
  context.fillStyle = 'rgb(0 0 0 / 72%)';
  context.fillRect(x - width - 4, y - 7, width + 8, 14);
  context.fillStyle = '#fff';
  context.fillText(text, x, y + 0.5);
}
