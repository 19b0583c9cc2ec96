// Display settings of a viewer: the panel in its toolbar, its shortcuts, and the handle that sets the plot's height.

import { element, find, onDrag, onResize, translated } from '../lib/dom.js';
import { formatNumber, t } from '../lib/i18n.js';
import { NAMES, table } from '../lib/colormaps.js';
import {
  DEFAULTS, HEIGHTS, HEADROOM_DB, SECOND_VIEWS, changeDisplay, display, displayedRange, secondOf,
} from '../core/display_settings.js';
import { menu } from '../widgets/menu.js';
import { shortcut } from './shortcuts.js';

const GAIN_DB = 3; // a press of a key
const HEIGHT_STEP = 20;

const PANEL = `
  <label class="sg-for-axis"><span data-t="viewer_toolbar.axis"></span><select class="sg-axis"></select></label>
  <label class="sg-for-levels"><span data-t="viewer_toolbar.colours"></span><select class="sg-colours"></select></label>
  <canvas class="sg-swatch sg-for-levels" width="256" height="1" aria-hidden="true"></canvas>
  <div class="sg-range sg-for-range" role="group" data-aria="viewer_toolbar.range">
    <span data-t="viewer_toolbar.range"></span><output></output>
    <div class="sg-levels"><i></i><input type="range" class="sg-low" data-aria="viewer_toolbar.range_low">
      <input type="range" class="sg-high" data-aria="viewer_toolbar.range_high"></div>
    <small data-t="viewer_toolbar.range_hint"></small>
  </div>
  <label class="sg-for-levels sg-check"><input type="checkbox" class="sg-smooth">
    <span data-t="viewer_toolbar.smooth"></span></label>
  <label class="sg-for-second"><span data-t="viewer_toolbar.second"></span><select class="sg-second-view"></select></label>
  <button type="button" class="sg-link" data-t="viewer_toolbar.display_reset"></button>`;

export function displayPanel(viewer) {
  viewer.under.append(heightHandle(viewer));
  const { root, panel } = menu('display', 'viewer_toolbar.display', { text: true, signal: viewer.signal });
  root.classList.add('sg-right');
  viewer.toolbar.append(root);
  panel.innerHTML = PANEL;
  translated(panel);
  wire(panel, viewer);
  const write = () => show(panel, viewer);
  viewer.onState('display', write);
  write();
  return { keys: keysOf(viewer), loaded: write };
}

/** Fill a list of the colour maps, choose from it, and follow the choice. */
export function wireColours(select, viewer) {
  const follow = () => { select.value = display.colours; };
  for (const name of NAMES) select.append(new Option(t(`viewer_toolbar.colours_${name}`), name));
  select.addEventListener('change', () => changeDisplay({ colours: select.value }));
  viewer.onState('display', follow);
  follow();
}

function wire(panel, viewer) {
  const on = (selector, name, listener) => find(panel, selector).addEventListener(name, ({ target }) => listener(target));
  wireColours(find(panel, '.sg-colours'), viewer);
  for (const kind of viewer.axes) find(panel, '.sg-axis').append(new Option(t(`viewer.axis_${kind}`), kind));
  for (const name of SECOND_VIEWS.filter((one) => one !== viewer.view)) {
    find(panel, '.sg-second-view').append(new Option(t(name === 'none' ? 'viewer_toolbar.second_none' : `page.tab_${name}`), name));
  }
  on('.sg-axis', 'change', ({ value }) => setAxis(viewer, value));
  on('.sg-low', 'input', ({ value }) => changeDisplay({ low: Math.min(Number(value), display.high - 1) }));
  on('.sg-high', 'input', ({ value }) => changeDisplay({ high: Math.max(Number(value), rangeOf(viewer)[0] + 1) }));
  on('.sg-smooth', 'change', ({ checked }) => changeDisplay({ smooth: checked }));
  on('.sg-second-view', 'change', ({ value }) => changeDisplay({ second: value, lead: viewer.view }));
  on('.sg-link', 'click', () => changeDisplay({ ...DEFAULTS }));
  onDrag( // the bar between the thumbs moves both
    find(panel, '.sg-levels i'),
    ({ clientX }) => ({ clientX, range: rangeOf(viewer) }),
    ({ clientX }, from) => {
      const share = (clientX - from.clientX) / find(panel, '.sg-levels').clientWidth;
      gain(viewer, Math.round(share * span(viewer)), from.range);
    },
  );
}

const dataOf = (viewer) => (viewer.data?.levels ? viewer.data : { low_db: -80, high_db: 0 }); // a waveform has none
const floorOf = (viewer) => Math.round(dataOf(viewer).low_db - dataOf(viewer).high_db);
const span = (viewer) => 2 * HEADROOM_DB - floorOf(viewer);
const rangeOf = (viewer) => displayedRange({ low_db: floorOf(viewer), high_db: 0 });

/** Shift the level range: up is darker, down is brighter. */
function gain(viewer, by, [low, high] = rangeOf(viewer)) {
  by = Math.min(Math.max(by, floorOf(viewer) - HEADROOM_DB - low), HEADROOM_DB - high);
  changeDisplay({ low: low + by, high: high + by });
}

/** Narrow the level range by some dB at both ends, for more contrast; or widen it. */
function contrast(viewer, by) {
  const [low, high] = rangeOf(viewer);
  const spare = Math.floor((high - low - 2) / 2);
  by = Math.min(by, spare);
  changeDisplay({ low: Math.max(low + by, floorOf(viewer) - HEADROOM_DB), high: Math.min(high - by, HEADROOM_DB) });
}

function setAxis(viewer, kind) {
  changeDisplay({ axes: { ...display.axes, [viewer.view]: kind } });
}

const after = (list, value) => list[(list.indexOf(value) + 1) % list.length];

function keysOf(viewer) {
  const key = (label, run) => shortcut(label, 'display', run);
  const all = {
    c: key('viewer_toolbar.key_colours', () => changeDisplay({ colours: after(NAMES, display.colours) })),
    i: key('viewer_toolbar.smooth', () => changeDisplay({ smooth: !display.smooth })),
  };
  if (!viewer.pitched) return all;
  return {
    ...all,
    a: key('viewer_toolbar.key_axis', () => setAxis(viewer, after(viewer.axes, viewer.axisKind()))),
    ',': key('viewer_toolbar.key_darker', () => gain(viewer, GAIN_DB)),
    '.': key('viewer_toolbar.key_brighter', () => gain(viewer, -GAIN_DB)),
    '<': key('viewer_toolbar.key_flatter', () => contrast(viewer, -GAIN_DB)),
    '>': key('viewer_toolbar.key_contrast', () => contrast(viewer, GAIN_DB)),
  };
}

/** Write the settings into the panel. */
function show(panel, viewer) {
  const floor = floorOf(viewer);
  const [low, high] = rangeOf(viewer);
  const levels = find(panel, '.sg-levels');
  for (const [name, value] of Object.entries({ low, high })) {
    const input = find(panel, `.sg-${name}`);
    [input.min, input.max, input.value] = [floor - HEADROOM_DB, HEADROOM_DB, value];
    levels.style.setProperty(`--${name}`, (100 * (value - floor + HEADROOM_DB)) / span(viewer));
  }
  if (viewer.pitched) find(panel, '.sg-axis').value = viewer.axisKind();
  find(panel, '.sg-smooth').checked = display.smooth;
  find(panel, '.sg-second-view').value = secondOf(viewer.view);
  const { high_db: top, unit = t('page.unit_db') } = dataOf(viewer);
  find(panel, '.sg-range output').textContent = `${formatNumber(top + low)} … ${formatNumber(top + high)} ${unit}`;
  const image = new ImageData(256, 1);
  new Uint32Array(image.data.buffer).set(table(display.colours));
  find(panel, '.sg-swatch').getContext('2d').putImageData(image, 0, 0);
}

/** A handle under the plot that sets its height. */
function heightHandle(viewer) {
  const { least, most } = HEIGHTS;
  const handle = element(`<div class="sg-grip" role="separator" aria-orientation="horizontal" tabindex="0"
    aria-valuemin="${least}" aria-valuemax="${most}" data-tip="viewer_toolbar.height_hint"
    data-aria="viewer_toolbar.height_label"><i></i></div>`);
  const apply = () => viewer.host.style.setProperty('--sg-height', display.height && `${display.height}px`); // null removes it
  const set = (height) => changeDisplay({ height: height && Math.round(Math.min(Math.max(height, least), most)) });
  const now = () => viewer.plot.getBoundingClientRect().height;
  onDrag(handle, ({ clientY }) => now() - clientY, ({ clientY }, above) => set(above + clientY));
  handle.addEventListener('dblclick', () => set(null));
  handle.addEventListener('keydown', (event) => {
    const by = { ArrowUp: -HEIGHT_STEP, ArrowDown: HEIGHT_STEP }[event.key];
    if (by) set(now() + by);
    else if (event.key === 'Home') set(null);
    else return;
    event.preventDefault();
  });
  onResize(viewer.plot, () => { // a hidden plot has no height
    handle.setAttribute('aria-valuenow', Math.round(Math.max(now(), least)));
  }, viewer.signal);
  viewer.onState('display', apply);
  apply();
  return handle;
}
