// Which tool the hand holds, the same in all views: a drag moves the picture, selects, or draws a box to zoom into.

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

/** The tool of a press: keys held down choose another than the one in hand. */
export function toolOf(event) {
  if (event.shiftKey) return 'select';
  return event.altKey || event.ctrlKey || event.metaKey ? 'box' : activeTool.name;
}
