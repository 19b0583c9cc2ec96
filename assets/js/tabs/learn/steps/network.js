// Step: an image network on this sound: first filters, and the mean activations of each layer.

import { decodeBase64 } from '../../../lib/dom.js';
import { className, formatNumber, formatPercent, t } from '../../../lib/i18n.js';

const INPUT = 'input';
const NARROW_PX = 500; // below it the map's title takes the place of the axis's name

/** The filters of the first layer in a square, grey is 0. */
function drawFilters(figure, area, { filters, count, size }) {
  const bytes = decodeBase64(filters);
  const across = Math.ceil(Math.sqrt(count));
  const cell = Math.min(area.width, area.height) / across;
  for (let i = 0; i < count; i++) {
    const box = { left: area.left + (i % across) * cell, top: area.top + Math.floor(i / across) * cell, width: cell - 2, height: cell - 2 };
    figure.image(box, bytes.subarray(i * size * size, (i + 1) * size * size), size, size, 'gray');
  }
}

export default {
  name: 'network',
  tab: 'classify',
  needs: ['network'],
  sliders: { layer: { min: 0, max: 5, step: 1, value: 1, text: (layer, { network }) => network?.layers[layer]?.name ?? formatNumber(layer) } },

  draw({ figure, network }, { layer }) {
    const { name, channels, rows, columns, map } = network.layers[layer];
    const split = Math.min(0.4, figure.size.height / figure.size.width);
    const [left, right] = [figure.panel(0, split, true), figure.panel(split, 1, true)];
    const square = { ...left, left: 6, width: left.left + left.width - 6 };
    drawFilters(figure, square, network);
    figure.prepareText();
    figure.context.textAlign = 'left';
    figure.context.textBaseline = 'middle';
    figure.context.fillText(t('learn.caption_filters', { size: network.size }), square.left, square.top - 11);
    figure.image(right, decodeBase64(map), rows, columns);
    const first = network.layers[0];
    figure.times(right, network.start, network.start + network.seconds);
    figure.vertical(right, 0, first.rows, figure.size.width > NARROW_PX ? t('learn.axis_band') : '');
    figure.caption(right, t(name === INPUT ? 'learn.caption_input' : 'learn.caption_mean', { layer: name }));
    const [label, probability] = network.top[0] ?? [];
    return {
      layer: name, channels: formatNumber(channels), rows: formatNumber(rows), columns: formatNumber(columns),
      bands: formatNumber(first.rows / rows, 0), seconds: formatNumber(network.seconds / columns, 3),
      answer: label ? `${className(label)}, ${formatPercent(probability, 1)}` : t('page.silence'),
    };
  },

  open: () => ({}),
};
