// The user's labels of the listed files, kept by their content, and as one file.

import { labelsOf } from '../../core/label_store.js';
import { events, state } from '../../core/state.js';

export class FileLabels {
  /** @type {Map<string, readonly any[]>} by digest */
  known = new Map();

  /**
   * @param {() => void} changed
   * @param {AbortSignal} signal
   */
  constructor(changed, signal) {
    this.changed = changed;
    this.signal = signal;
    const readOpen = () => { if (state.sound && this.known.has(state.sound.digest)) this.read(state.sound.digest); };
    events.addEventListener('labels', readOpen, { signal });
    events.addEventListener('labels_kept', (/** @type {CustomEvent} */ { detail }) => {
      if (this.known.has(detail.digest)) this.read(detail.digest);
    }, { signal });
  }

  /** Find the labels of a file. */
  async read(digest) {
    const found = await labelsOf(digest);
    if (this.signal.aborted) return;
    const before = this.known.get(digest)?.length ?? 0;
    this.known.set(digest, found);
    if (before !== found.length) this.changed();
  }

  /** @param {{digest?: string}} file */
  count({ digest }) {
    return digest ? this.known.get(digest)?.length ?? 0 : 0;
  }

  /** The labels of files as JSON text for the server; of equal files those of each. */
  async asJson(files) {
    const read = await Promise.all(files.map(async ({ id, digest }) => [id, await labelsOf(digest)]));
    const row = ({ name, start, end, low_hz: low, high_hz: high, probability }) => [name, start, end, low, high, probability, null, null, null, null];
    const inOrder = (list) => [...list].sort((a, b) => a.start - b.start || a.end - b.end).map(row);
    return JSON.stringify(Object.fromEntries(read.filter(([, list]) => list.length).map(([id, list]) => [id, inOrder(list)])));
  }
}
