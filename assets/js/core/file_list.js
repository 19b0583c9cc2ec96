// The listed files, one of which may be the open sound: the previous and the next one.

import { emit, state } from './state.js';

/** @typedef {{id: string, name: string, digest: string, open: () => void}} ListedFile */

/** @type {ListedFile[]} */
let files = [];
let opened = ''; // id of the last one that was opened from the list: two files may be equal

/** Keep the files in their present order. @param {ListedFile[]} listed */
export function setFileList(listed) {
  files = listed;
  emit('file_list');
}

export function markOpened(id) {
  opened = id;
}

/** Index of the open sound among the files, -1 if it is none of them; with its neighbours. */
export function filePosition() {
  const digest = state.sound?.digest;
  const same = files.flatMap((file, index) => (digest && file.digest === digest ? [index] : []));
  const index = same.find((at) => files[at].id === opened) ?? same[0] ?? -1;
  const [previous, next] = index < 0 ? [undefined, undefined] : [files[index - 1], files[index + 1]];
  return { index, count: files.length, previous, next };
}

/** Open the previous (-1) or next (1) file, if there is one. */
export function openFileBy(step) {
  const { previous, next } = filePosition();
  (step < 0 ? previous : next)?.open();
}
