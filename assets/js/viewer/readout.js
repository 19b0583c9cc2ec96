// Readout of the point under the pointer: at once from the image, exact from the server once the pointer rests.

import { request } from '../core/rpc.js';
import { formatNumber, t, tForPointer } from '../lib/i18n.js';

const REST_MS = 90; // without a move: request the exact level

/** Write what is under a viewer's pointer. */
export function readPointer(viewer) {
  clearTimeout(viewer.restTimer);
  if (!viewer.current() || !viewer.pointer || !viewer.inside(viewer.pointer)) {
    viewer.readout.textContent = tForPointer('viewer.point_at');
    return;
  }
  const { pointer, data: drawn } = viewer;
  const time = Math.max(0, viewer.timeAt(pointer.x));
  const { share, row } = rowAt(viewer, pointer);
  const { start, end, columns, levels, low_db: floor, high_db: ceiling } = drawn;
  const column = Math.max(0, Math.min(columns - 1, Math.floor(((time - start) / (end - start)) * columns)));
  const write = (value, digits) => {
    const clipped = value <= floor + 1e-3 && viewer.pitched ? '≤ ' : '';
    const text = viewer.reading(share, row, clipped + formatNumber(value, digits));
    viewer.readout.textContent = [`${formatNumber(time, 3)} ${t('page.unit_s')}`, text, ...viewer.readings(time)].join(' · ');
  };
  write(floor + (levels[row * columns + column] / 255) * (ceiling - floor), 0);
  if (drawn.feature) return; // the exact level would be the spectrogram's
  viewer.restTimer = setTimeout(async () => {
    try {
      const { sound, config } = drawn.request; // the panel may be ahead of the image
      const query = { sound, config, time, view: viewer.view, ...viewer.position(share, row) };
      const { value } = await request(viewer.server.level, query);
      if (viewer.pointer === pointer && viewer.data === drawn) write(value, 2);
    } catch (error) {
      console.info(error.message); // the rounded level stays
    }
  }, REST_MS);
}

/** The share of the vertical axis under the pointer (0 bottom, 1 top), and the row of levels drawn there. */
function rowAt(viewer, pointer) {
  const { top, height } = viewer.area();
  const rows = Math.max(1, Math.round(height));
  const share = 1 - (pointer.y - top) / height;
  return { share, row: viewer.nearestRows(rows)[Math.min(rows - 1, Math.floor((1 - share) * rows))] };
}
