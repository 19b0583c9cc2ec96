// A file of the batch: what is known of it, and opening it.

import { markOpened } from '../../core/file_list.js';
import { emit } from '../../core/state.js';
import { openTab } from '../../core/tabs.js';

/** @typedef {object} BatchFile a file and, once it is classified, the server's row for it
 * @property {File} file
 * @property {string} name
 * @property {string} [id] on the server
 * @property {string} [digest] of its content
 * @property {string} state waiting, sending, sent, classifying, done or refused
 * @property {number} share of its length that is classified
 * @property {any[]} parts its channels, where each is classified
 * @property {string | null} [error]
 */

export function refuse(one, error) {
  Object.assign(one, { state: 'refused', error });
}

/** Add a channel's row to its file, which is done with the last one. */
export function addPart(one, row) {
  one.parts.push({ name: one.name, digest: one.digest, share: 1, ...row, state: 'done' });
  if (one.parts.length === row.channels) one.state = 'done';
}

/** Open a file of the list; `tab`: where it is shown, by default in the open one. */
export function openFile(one, tab = '') {
  markOpened(one.id);
  emit('open', { name: one.name, request: { uploaded: one.id, channel: one.channel } });
  if (tab) openTab(tab);
}
