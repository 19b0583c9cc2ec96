// The active tool (move, select, zoom), shared by all views.

import { emit } from './state.js';

export const TOOLS = {
  move: { sign: 'move', key: 'v' },
  select: { sign: 'select', key: 's' },
  box: { sign: 'box', key: 'z' },
};

export const activeTool = { name: 'move' };

export function setTool(tool) {
  activeTool.name = tool;
  emit('tool');
}

/** The tool of a press: a modifier key chooses another than the active one. */
export function toolOf(event) {
  if (event.shiftKey) return 'select';
  return event.altKey || event.ctrlKey || event.metaKey ? 'box' : activeTool.name;
}
