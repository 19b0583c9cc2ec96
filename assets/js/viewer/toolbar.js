// Toolbar of a viewer: tools, view history and zoom, with their shortcuts.

import { audio, select, show, showAll, state, zoom } from '../core/state.js';
import { moveFrequency, zoomFrequency } from '../core/frequency_range.js';
import { TOOLS, activeTool, setTool } from '../core/active_tool.js';
import { canGo, go } from '../core/view_history.js';
import { group, toolButton } from '../widgets/menu.js';
import { shortcut } from './shortcuts.js';

export function toolbar(viewer) {
  const tools = Object.entries(TOOLS).map(([tool, { sign, key }]) => (
    toolButton(sign, `viewer_toolbar.tool_${tool}`, key.toUpperCase(), () => setTool(tool))));
  const back = toolButton('back', 'viewer_toolbar.back', 'Alt+←', () => go(-1));
  const forward = toolButton('forward', 'viewer_toolbar.forward', 'Alt+→', () => go(1));
  const steps = group('viewer_toolbar.steps', back, forward);
  steps.classList.add('sg-steps');
  viewer.toolbar.append(
    group('viewer_toolbar.tools', ...tools),
    group(
      'viewer_toolbar.zoom',
      toolButton('out', 'viewer_toolbar.zoom_out', '-', () => zoom(2)),
      toolButton('in', 'viewer_toolbar.zoom_in', '+', () => zoom(0.5)),
      toolButton('all', 'viewer_toolbar.zoom_all', '0', showAll),
    ),
    steps,
  );
  const update = () => {
    viewer.plot.dataset.tool = activeTool.name;
    // where not all frequencies are visible, a finger pans them instead of scrolling the page
    viewer.plot.toggleAttribute('data-banded', viewer.pitched && Boolean(state.frequencyRange));
    Object.keys(TOOLS).forEach((tool, i) => tools[i].setAttribute('aria-pressed', String(tool === activeTool.name)));
    [back.disabled, forward.disabled] = [!canGo(-1), !canGo(1)];
    steps.hidden = back.disabled && forward.disabled;
  };
  viewer.onState('tool history', update); // every change of the visible range makes history
  update();
  return { keys: keysOf(viewer), ...boxOverlay(viewer) };
}

/** Draw the box that zooms, on a view without a toolbar, too. */
export function boxOverlay(viewer) {
  return { overlay: (context) => viewer.box && drawBox(context, viewer.box) };
}

function keysOf(viewer) {
  const tool = (name) => [TOOLS[name].key, shortcut(`viewer_toolbar.tool_${name}`, 'tools', () => setTool(name))];
  const back = shortcut('viewer_toolbar.back', 'shown', () => go(-1));
  const forward = shortcut('viewer_toolbar.forward', 'shown', () => go(1));
  return {
    ...Object.fromEntries(Object.keys(TOOLS).map(tool)),
    Backspace: back,
    'Ctrl+z': back,
    'Alt+ArrowLeft': back,
    'Alt+ArrowRight': forward,
    'Ctrl+Z': forward,
    'Ctrl+y': forward,
    e: shortcut('viewer_toolbar.zoom_selection', 'selection', showSelection),
    '[': shortcut('viewer_toolbar.select_from', 'selection', () => selectBetween({ start: audio.currentTime })),
    ']': shortcut('viewer_toolbar.select_to', 'selection', () => selectBetween({ end: audio.currentTime })),
    Escape: shortcut('viewer_toolbar.select_none', 'selection', () => select(null)),
    'Alt+ArrowUp': shortcut('viewer_toolbar.band_in', 'shown', () => zoomFrequency(viewer, 0.5)),
    'Alt+ArrowDown': shortcut('viewer_toolbar.band_out', 'shown', () => zoomFrequency(viewer, 2)),
    'Shift+ArrowUp': shortcut('viewer_toolbar.band_up', 'shown', () => moveFrequency(viewer, 0.1)),
    'Shift+ArrowDown': shortcut('viewer_toolbar.band_down', 'shown', () => moveFrequency(viewer, -0.1)),
  };
}

/** Move an edge of the selection; without one, of the visible range. */
function selectBetween(edge) {
  const { start, end } = { ...(state.selection ?? state.visible), ...edge };
  const { low_hz = null, high_hz = null } = state.selection ?? state.frequencyRange ?? {};
  if (end > start) select({ start, end, low_hz, high_hz }, { edit: Boolean(state.selection) });
}

function showSelection() {
  if (!state.selection) return;
  const { start, end, low_hz, high_hz } = state.selection;
  show(start, end, { frequencyRange: low_hz === null ? state.frequencyRange : { low_hz, high_hz } });
}

function drawBox(context, { x0, x1, y0, y1 }) {
  context.fillStyle = 'rgb(255 255 255 / 18%)';
  context.fillRect(x0, y0, x1 - x0, y1 - y0);
  context.setLineDash([4, 4]);
  for (const [colour, offset] of [['#000', 0], ['#fff', 4]]) { // visible on dark and on bright images
    context.strokeStyle = colour;
    context.lineDashOffset = offset;
    context.strokeRect(x0 + 0.5, y0 + 0.5, x1 - x0 - 1, y1 - y0 - 1);
  }
  context.setLineDash([]);
}
