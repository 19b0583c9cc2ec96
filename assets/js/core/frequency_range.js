// Zooming and moving the visible frequencies along a viewer's axis, within what its spectrogram holds.

import { show, state } from './state.js';

const LEAST_SHARE = 0.02; // of the whole axis

const apply = (range) => show(state.visible.start, state.visible.end, { frequencyRange: range });

/** The frequencies between two shares of a viewer's current axis; null: all there are. */
export function rangeBetween(viewer, bottom, top) {
  const [axis, whole] = [viewer.axis(), viewer.wholeAxis()];
  const least = LEAST_SHARE / Math.max(1e-9, whole.share(axis.high) - whole.share(axis.low));
  const spare = Math.max(0, least - (top - bottom)) / 2;
  const low = Math.max(whole.low, axis.hz(bottom - spare));
  const high = Math.min(whole.high, axis.hz(top + spare));
  return whole.share(low) < 0.001 && whole.share(high) > 0.999 ? null : { low_hz: low, high_hz: high };
}

/** Zoom in frequency by a factor (less than 1: closer) around a height `y` of the plot, by default its middle. */
export function zoomFrequency(viewer, factor, y) {
  if (!viewer.pitched || !viewer.current()) return;
  const { top, height } = viewer.area();
  const share = y === undefined ? 0.5 : 1 - (y - top) / height;
  apply(rangeBetween(viewer, share * (1 - factor), share + (1 - share) * factor));
}

/** Move the visible frequencies by a share of the axis, as far as there are any. */
export function moveFrequency(viewer, by, axis = viewer.axis()) {
  if (!viewer.pitched || !viewer.current() || !state.frequencyRange) return;
  const whole = viewer.wholeAxis();
  by = Math.min(Math.max(by, axis.share(whole.low)), axis.share(whole.high) - 1);
  apply({ low_hz: axis.hz(by), high_hz: axis.hz(1 + by) });
}
