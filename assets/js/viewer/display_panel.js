// How a viewer's picture looks: the display panel of its toolbar, its keys, and the handle that sets its height.

import { events } from '../core/state.js';
import { element } from '../lib/dom.js';
import { formatNumber, t } from '../lib/i18n.js';
import { NAMES, table } from '../lib/colormaps.js';
import { DEFAULTS, HEIGHTS, ROOM_DB, changeDisplay, display } from '../core/display_settings.js';
import { menu } from '../widgets/menu.js';
import { extend } from './viewer.js';

const GAIN_DB = 3; // a press of a key
const HEIGHT_STEP = 20;

const PANEL = `
  <label class="sg-for-axis"><span></span><select class="sg-axis"></select></label>
  <label class="sg-for-levels"><span></span><select class="sg-colours"></select></label>
  <canvas class="sg-swatch sg-for-levels" width="256" height="1" aria-hidden="true"></canvas>
  <div class="sg-range sg-for-range" role="group">
    <span></span><output></output>
    <div class="sg-levels"><i></i><input type="range" class="sg-low"><input type="range" class="sg-high"></div>
    <small></small>
  </div>
  <label class="sg-for-levels sg-check"><input type="checkbox" class="sg-smooth"><span></span></label>
  <button type="button" class="sg-link"></button>`;

extend((viewer) => {
  viewer.under.append(heightHandle(viewer));
  events.addEventListener('display', () => setHeight(viewer));
  setHeight(viewer);
  if (viewer.constructor.view === 'wave') return {}; // one colour, one axis
  const { root, panel } = menu('display', 'viewer_toolbar.display', { text: true });
  root.classList.add('sg-right');
  viewer.toolbar.append(root);
  panel.innerHTML = PANEL;
  fill(panel, viewer);
  wire(panel, viewer);
  const write = () => show(panel, viewer);
  events.addEventListener('display', write);
  write();
  return { keys: keysOf(viewer), loaded: write };
});

function fill(panel, viewer) {
  const find = (selector) => panel.querySelector(selector);
  find('.sg-for-axis span').textContent = t('viewer_toolbar.axis');
  find('.sg-for-levels span').textContent = t('viewer_toolbar.colours');
  find('.sg-range span').textContent = t('viewer_toolbar.range');
  find('.sg-range').setAttribute('aria-label', t('viewer_toolbar.range'));
  find('.sg-range small').textContent = t('viewer_toolbar.range_hint');
  find('.sg-low').setAttribute('aria-label', t('viewer_toolbar.range_low'));
  find('.sg-high').setAttribute('aria-label', t('viewer_toolbar.range_high'));
  find('.sg-check span').textContent = t('viewer_toolbar.smooth');
  find('.sg-link').textContent = t('viewer_toolbar.display_reset');
  for (const name of NAMES) find('.sg-colours').append(new Option(t(`viewer_toolbar.colours_${name}`), name));
  for (const kind of viewer.constructor.axes) find('.sg-axis').append(new Option(t(`viewer.axis_${kind}`), kind));
}

function wire(panel, viewer) {
  const find = (selector) => panel.querySelector(selector);
  find('.sg-colours').addEventListener('change', (event) => changeDisplay({ colours: event.target.value }));
  find('.sg-axis').addEventListener('change', (event) => setAxis(viewer, event.target.value));
  find('.sg-low').addEventListener('input', (event) => setRange(viewer, 'low', Number(event.target.value)));
  find('.sg-high').addEventListener('input', (event) => setRange(viewer, 'high', Number(event.target.value)));
  find('.sg-smooth').addEventListener('change', (event) => changeDisplay({ smooth: event.target.checked }));
  find('.sg-link').addEventListener('click', () => changeDisplay({ ...DEFAULTS }));
  const levels = find('.sg-levels');
  const bar = find('.sg-levels i'); // between the thumbs: both move together
  let from = null;
  bar.addEventListener('pointerdown', (event) => {
    from = { x: event.clientX, range: rangeOf(viewer) };
    bar.setPointerCapture(event.pointerId);
  });
  bar.addEventListener('pointermove', (event) => {
    if (from) gain(viewer, Math.round(((event.clientX - from.x) / levels.clientWidth) * span(viewer)), from.range);
  });
  for (const end of ['pointerup', 'pointercancel']) bar.addEventListener(end, () => { from = null; });
}

const floorOf = (viewer) => (viewer.data ? Math.round(viewer.data.low_db - viewer.data.high_db) : -80);
const span = (viewer) => 2 * ROOM_DB - floorOf(viewer);
const rangeOf = (viewer) => [display.low ?? floorOf(viewer), display.high];

function setRange(viewer, which, value) {
  const [low, high] = rangeOf(viewer);
  changeDisplay(which === 'low' ? { low: Math.min(value, high - 1) } : { high: Math.max(value, low + 1) });
}

/** Shift the shown levels: up is darker, down is brighter. */
function gain(viewer, by, [low, high] = rangeOf(viewer)) {
  by = Math.min(Math.max(by, floorOf(viewer) - ROOM_DB - low), ROOM_DB - high);
  changeDisplay({ low: low + by, high: high + by });
}

/** Narrow the shown levels by some dB at both ends, for more contrast; or widen them. */
function contrast(viewer, by) {
  const [low, high] = rangeOf(viewer);
  const spare = Math.floor((high - low - 2) / 2);
  by = Math.min(by, spare);
  changeDisplay({ low: Math.max(low + by, floorOf(viewer) - ROOM_DB), high: Math.min(high - by, ROOM_DB) });
}

function setAxis(viewer, kind) {
  changeDisplay({ axes: { ...display.axes, [viewer.constructor.view]: kind } });
}

const after = (list, value) => list[(list.indexOf(value) + 1) % list.length];

function keysOf(viewer) {
  const { axes, view } = viewer.constructor;
  const look = (name, run) => ({ word: name, group: 'display', run });
  const all = { c: look('viewer_toolbar.key_colours', () => changeDisplay({ colours: after(NAMES, display.colours) })), i: look('viewer_toolbar.smooth', () => changeDisplay({ smooth: !display.smooth })) };
  if (view === 'mfcc') return all;
  return {
    ...all,
    a: look('viewer_toolbar.key_axis', () => setAxis(viewer, after(axes, viewer.axisKind()))),
    ',': look('viewer_toolbar.key_darker', () => gain(viewer, GAIN_DB)),
    '.': look('viewer_toolbar.key_brighter', () => gain(viewer, -GAIN_DB)),
    '<': look('viewer_toolbar.key_flatter', () => contrast(viewer, -GAIN_DB)),
    '>': look('viewer_toolbar.key_contrast', () => contrast(viewer, GAIN_DB)),
  };
}

/** Write the settings into the panel. */
function show(panel, viewer) {
  const find = (selector) => panel.querySelector(selector);
  find('.sg-colours').value = display.colours;
  if (viewer.pitched) find('.sg-axis').value = viewer.axisKind();
  find('.sg-smooth').checked = display.smooth;
  const floor = floorOf(viewer);
  const [low, high] = rangeOf(viewer);
  const place = (db) => (100 * (db - floor + ROOM_DB)) / span(viewer);
  for (const [selector, value] of [['.sg-low', low], ['.sg-high', high]]) {
    const input = find(selector);
    [input.min, input.max, input.value] = [floor - ROOM_DB, ROOM_DB, value];
  }
  find('.sg-levels').style.setProperty('--low', place(low));
  find('.sg-levels').style.setProperty('--high', place(high));
  const top = viewer.data?.high_db ?? 0;
  find('.sg-range output').textContent = `${formatNumber(top + low)} … ${formatNumber(top + high)} ${viewer.data?.unit ?? t('page.unit_db')}`;
  const context = find('.sg-swatch').getContext('2d');
  const image = new ImageData(256, 1);
  new Uint32Array(image.data.buffer).set(table(display.colours));
  context.putImageData(image, 0, 0);
}

function setHeight(viewer) {
  if (display.height === null) viewer.host.style.removeProperty('--sg-height');
  else viewer.host.style.setProperty('--sg-height', `${display.height}px`);
}

/** A bar under the picture that makes it higher or lower. */
function heightHandle(viewer) {
  const handle = element('<div class="sg-grip" role="separator" aria-orientation="horizontal" tabindex="0"><i></i></div>');
  handle.title = t('viewer_toolbar.height_hint');
  handle.setAttribute('aria-label', t('viewer_toolbar.height_label'));
  const set = (height) => changeDisplay({ height: Math.round(Math.min(Math.max(height, HEIGHTS.least), HEIGHTS.most)) });
  const now = () => viewer.plot.getBoundingClientRect().height;
  const tell = () => {
    handle.setAttribute('aria-valuenow', Math.round(Math.max(now(), HEIGHTS.least))); // a hidden picture has no height
    [handle.ariaValueMin, handle.ariaValueMax] = [HEIGHTS.least, HEIGHTS.most];
  };
  let from = null;
  handle.addEventListener('pointerdown', (event) => {
    from = { y: event.clientY, height: now() };
    handle.setPointerCapture(event.pointerId);
  });
  handle.addEventListener('pointermove', (event) => { if (from) set(from.height + event.clientY - from.y); });
  for (const end of ['pointerup', 'pointercancel']) handle.addEventListener(end, () => { from = null; });
  handle.addEventListener('dblclick', () => changeDisplay({ height: null }));
  handle.addEventListener('keydown', (event) => {
    const by = { ArrowUp: -HEIGHT_STEP, ArrowDown: HEIGHT_STEP }[event.key];
    if (by) set(now() + by);
    else if (event.key === 'Home') changeDisplay({ height: null });
    else return;
    event.preventDefault();
  });
  tell();
  new ResizeObserver(tell).observe(viewer.plot);
  return handle;
}
