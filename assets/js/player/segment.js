// A detected segment as what plays, is classified, explained and compared.

import { labelName } from '../core/detections.js';
import { ask } from '../core/state.js';
import { playInterval } from './playback.js';

/** Play a segment, and ask about it. @param {import('../core/detections.js').Segment} segment */
export function playAndAsk({ label, guess, start, end, second }) {
  playInterval({ start, end }, labelName(label, guess));
  ask({ start, end, label: guess ?? label, second });
}
