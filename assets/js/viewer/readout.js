// What lies under the pointer, in words: at once from the picture, exactly once the pointer rests.

import { request } from '../core/rpc.js';
import { tForPointer, formatNumber, t } from '../lib/i18n.js';

const REST_MS = 90; // the pointer stands still: ask for the exact level

/** Say what lies under a viewer's pointer. */
export function readPointer(viewer) {
  clearTimeout(viewer.rest);
  if (!viewer.current() || !viewer.pointer || !viewer.inside(viewer.pointer)) {
    viewer.readout.textContent = tForPointer('viewer.point_at');
    return;
  }
  const { pointer, data: drawn } = viewer;
  const time = Math.max(0, viewer.timeAt(pointer.x));
  const { share, band } = under(viewer, pointer);
  const { start, end, columns, levels, low_db: floor, high_db: ceiling } = drawn;
  const column = Math.max(0, Math.min(columns - 1, Math.floor(((time - start) / (end - start)) * columns)));
  const write = (value, digits) => {
    const least = value <= floor + 1e-3 && viewer.constructor.axes.length ? '≤ ' : ''; // below it the levels were cut
    const text = viewer.reading(share, band, least + formatNumber(value, digits));
    viewer.readout.textContent = [`${formatNumber(time, 3)} ${t('page.unit_s')}`, text, ...viewer.said(time)].join(' · ');
  };
  write(floor + (levels[band * columns + column] / 255) * (ceiling - floor), 0);
  if (drawn.layer) return; // the exact level would be the spectrogram's
  viewer.rest = setTimeout(async () => {
    try {
      const { sound, config } = drawn.request; // the panel may be ahead of the picture
      const place = viewer.place(share, band);
      const { value } = await request(viewer.server.level, { sound, config, time, view: viewer.constructor.view, ...place });
      if (viewer.pointer === pointer && viewer.data === drawn) write(value, 2);
    } catch (refusal) {
      console.info(refusal.message); // the rounded level stays
    }
  }, REST_MS);
}

/** The share of the vertical axis under the pointer (0 bottom, 1 top), and the row of levels shown there. */
function under(viewer, pointer) {
  const { top, height } = viewer.area();
  const rows = Math.max(1, Math.round(height));
  const share = 1 - (pointer.y - top) / height;
  return { share, band: viewer.bands(rows)[Math.min(rows - 1, Math.floor((1 - share) * rows))] };
}
