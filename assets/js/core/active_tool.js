// Which tool the hand holds, the same in all views: a drag moves the picture, selects, or draws a box to zoom into.

import { announce } from './state.js';

export const TOOLS = {
  move: { sign: 'move', key: 'v' },
  select: { sign: 'select', key: 's' },
  box: { sign: 'box', key: 'z' },
};

export const hand = { tool: 'move' };

export function take(tool) {
  hand.tool = tool;
  announce('tool');
}

/** The tool of a press: keys held down choose another than the one in hand. */
export function toolOf(event) {
  if (event.shiftKey) return 'select';
  return event.altKey || event.ctrlKey || event.metaKey ? 'box' : hand.tool;
}
