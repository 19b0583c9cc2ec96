// The tools of the hand, and the steps through what was shown: their buttons and keys in each viewer.

import { audio, events, select, show, showAll, state, zoom } from '../core/state.js';
import { moveFrequency, zoomFrequency } from '../core/frequency_range.js';
import { TOOLS, activeTool, setTool } from '../core/active_tool.js';
import { canGo, go } from '../core/view_history.js';
import { group, toolButton } from '../widgets/menu.js';
import { extend } from './viewer.js';

extend((viewer) => {
  const tools = Object.entries(TOOLS).map(([tool, { sign, key }]) => toolButton(sign, `viewer_toolbar.tool_${tool}`, key.toUpperCase(), () => setTool(tool)));
  const back = toolButton('back', 'viewer_toolbar.back', 'Alt+←', () => go(-1));
  const forward = toolButton('forward', 'viewer_toolbar.forward', 'Alt+→', () => go(1));
  const zooms = [
    toolButton('out', 'viewer_toolbar.zoom_out', '-', () => zoom(2)),
    toolButton('in', 'viewer_toolbar.zoom_in', '+', () => zoom(0.5)),
    toolButton('all', 'viewer_toolbar.zoom_all', '0', showAll),
  ];
  viewer.toolbar.append(group('viewer_toolbar.tools', ...tools), group('viewer_toolbar.steps', back, forward), group('viewer_toolbar.zoom', ...zooms));
  const showTool = () => {
    viewer.plot.dataset.tool = activeTool.name;
    Object.keys(TOOLS).forEach((tool, i) => tools[i].setAttribute('aria-pressed', String(tool === activeTool.name)));
  };
  const showSteps = () => [back.disabled, forward.disabled] = [!canGo(-1), !canGo(1)];
  // a finger moves through shown frequencies instead of scrolling the page, where not all are shown
  events.addEventListener('visible', () => viewer.plot.toggleAttribute('data-banded', viewer.pitched && Boolean(state.frequencyRange)));
  events.addEventListener('tool', showTool);
  events.addEventListener('history', showSteps);
  showTool();
  showSteps();
  return { keys: keysOf(viewer), overlay: (context) => viewer.box && drawBox(context, viewer.box) };
});

function keysOf(viewer) {
  const tools = Object.entries(TOOLS).map(([tool, { key }]) => [key, { word: `viewer_toolbar.tool_${tool}`, group: 'tools', run: () => setTool(tool) }]);
  return {
    ...Object.fromEntries(tools),
    Backspace: { word: 'viewer_toolbar.back', group: 'shown', run: () => go(-1) },
    'Alt+ArrowLeft': { word: 'viewer_toolbar.back', group: 'shown', run: () => go(-1) },
    'Alt+ArrowRight': { word: 'viewer_toolbar.forward', group: 'shown', run: () => go(1) },
    e: { word: 'viewer_toolbar.zoom_selection', group: 'selection', run: showSelection },
    '[': { word: 'viewer_toolbar.select_from', group: 'selection', run: () => selectFrom(audio.currentTime, state.selection?.end ?? state.visible.end) },
    ']': { word: 'viewer_toolbar.select_to', group: 'selection', run: () => selectFrom(state.selection?.start ?? state.visible.start, audio.currentTime) },
    Escape: { word: 'viewer_toolbar.select_none', group: 'selection', run: () => select(null) },
    'Alt+ArrowUp': { word: 'viewer_toolbar.band_in', group: 'shown', run: () => zoomFrequency(viewer, 0.5) },
    'Alt+ArrowDown': { word: 'viewer_toolbar.band_out', group: 'shown', run: () => zoomFrequency(viewer, 2) },
    'Shift+ArrowUp': { word: 'viewer_toolbar.band_up', group: 'shown', run: () => moveFrequency(viewer, 0.1) },
    'Shift+ArrowDown': { word: 'viewer_toolbar.band_down', group: 'shown', run: () => moveFrequency(viewer, -0.1) },
  };

  function selectFrom(start, end) {
    const { low_hz = null, high_hz = null } = state.selection ?? state.frequencyRange ?? {}; // the shown frequencies, where not all are
    if (end > start) select({ start, end, low_hz, high_hz });
  }

  function showSelection() {
    if (!state.selection) return;
    const { start, end, low_hz, high_hz } = state.selection;
    show(start, end, { frequencyRange: low_hz === null ? state.frequencyRange : { low_hz, high_hz } });
  }
}

function drawBox(context, { x0, x1, y0, y1 }) {
  context.fillStyle = 'rgb(255 255 255 / 18%)';
  context.fillRect(x0, y0, x1 - x0, y1 - y0);
  for (const [colour, offset] of [['#000', 0], ['#fff', 4]]) { // seen on dark and on bright pictures
    context.strokeStyle = colour;
    context.setLineDash([4, 4]);
    context.lineDashOffset = offset;
    context.strokeRect(x0 + 0.5, y0 + 0.5, x1 - x0 - 1, y1 - y0 - 1);
  }
}
