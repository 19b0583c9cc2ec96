// Time-frequency resolution as a box on the spectrogram, at the pointer or, without one, in a corner.

import { keepFlag } from '../core/link_fields.js';
import { emit } from '../core/state.js';
import { element, find } from '../lib/dom.js';
import { formatNumber, t } from '../lib/i18n.js';

let boxShown = true; // in all views

keepFlag('box', true, () => boxShown, (shown) => {
  boxShown = shown;
  emit('resolution_box');
});

/** Resolution in seconds and Hz at a frequency, of the window, the hop and the mel band. */
export function boxAt(data, hz) {
  const { feature, meaning, edges_hz: edges } = data;
  const hop = meaning.hop_ms / 1000;
  const window = feature === 'constant_q' ? constantQ(data, hz)
    : { seconds: meaning.resolution_ms / 1000, hz: meaning.resolution_hz };
  const box = { seconds: Math.max(window.seconds, hop), hz: window.hz };
  if (feature === 'constant_q' || !edges.length) return box;
  let band = 0;
  while (band < edges.length - 3 && edges[band + 1] + edges[band + 2] < 2 * hz) band += 1;
  const wide = (edges[band + 2] - edges[band]) / 2; // width of the triangle at half its height
  return wide > window.hz ? { ...box, hz: wide } : box;
}

/** Resolution of librosa's constant-Q transform: its Hann windows hold as many periods of every frequency, Q.
 *  As for the STFT both are the widths at -6 dB: half the window's length, and two bins of that length. */
function constantQ({ bounds_hz: bounds }, hz) {
  const squared = (bounds.at(-2) / bounds.at(-3)) ** 2; // of the ratio of neighbouring bins; an empty row is at each end
  const q = (squared + 1) / (squared - 1); // librosa.filters.wavelet_lengths
  const centre = Math.min(Math.max(hz, bounds[1]), bounds.at(-2));
  return { seconds: (0.5 * q) / centre, hz: (2 * centre) / q };
}

export function resolutionBox(viewer) {
  if (!viewer.pitched) return {};
  const toggle = element(`<label class="sg-boxed" data-tip="parameter_advice.box_hint"><input type="checkbox">
    <span data-t="parameter_advice.box"></span></label>`);
  const input = find(toggle, 'input');
  const update = () => {
    input.checked = boxShown;
    viewer.drawOverlay();
  };
  viewer.find('.sg-derived h2').append(toggle);
  input.addEventListener('change', () => {
    boxShown = input.checked;
    emit('resolution_box');
  });
  viewer.onState('resolution_box', update);
  update();
  return { overlay: (context) => boxShown && drawBox(viewer, context) };
}

function drawBox(viewer, context) {
  const { left, top, width, height } = viewer.area();
  const at = viewer.pointer && viewer.inside(viewer.pointer) ? viewer.pointer : null;
  const hz = viewer.hzAt(at ? at.y : top + height * 0.75);
  const box = boxAt(viewer.data, hz);
  const w = Math.max(2, viewer.xOf(box.seconds) - viewer.xOf(0));
  const [y0, y1] = [viewer.yOf(hz + box.hz / 2), viewer.yOf(Math.max(0, hz - box.hz / 2))];
  const h = Math.max(2, y1 - y0);
  const text = t('parameter_advice.smallest', {
    ms: formatNumber(1000 * box.seconds, box.seconds < 0.01 ? 1 : 0), hz: formatNumber(box.hz, box.hz < 10 ? 1 : 0),
  });
  context.font = `11px ${getComputedStyle(viewer.plot).fontFamily}`;
  const words = Math.min(context.measureText(text).width, width - 28); // squeezed in a narrow plot
  const label = { x: left + 8, y: top + height - 26, width: words + 12 };
  context.fillStyle = 'rgb(0 0 0 / 62%)';
  context.beginPath();
  context.roundRect(label.x, label.y, label.width, 19, 4);
  context.fill();
  context.fillStyle = '#fff';
  context.textBaseline = 'middle';
  context.textAlign = 'left';
  context.fillText(text, label.x + 6, label.y + 10, words);
  const [x, y] = at ? [at.x - w / 2, y0] : [label.x, label.y - h - 6];
  for (const [colour, thick] of [['rgb(0 0 0 / 60%)', 3], ['#fff', 1]]) {
    context.strokeStyle = colour;
    context.lineWidth = thick;
    context.strokeRect(x, y, w, h);
  }
}
