// Measurements of labels, requested one after another for the rows that are shown.

import { latestOnly, request } from '../../core/rpc.js';
import { state } from '../../core/state.js';

const MOST_KEPT = 2000;
const DRAW_EVERY = 8; // measurements

export class Measured {
  values = new Map(); // by sound, parameters and box; null: being measured or refused
  run = latestOnly((rows) => this.measure(rows));

  /**
   * @param {any} viewer
   * @param {() => void} changed
   */
  constructor(viewer, changed) {
    this.viewer = viewer;
    this.changed = changed;
  }

  query({ start, end, low_hz, high_hz }) {
    const { sound, config } = this.viewer.data.request;
    return { sound, config, start, end, low_hz, high_hz };
  }

  /** The values of a label under the view's parameters, if they are there. */
  of(label) {
    return this.viewer.current() ? this.values.get(JSON.stringify(this.query(label))) : null;
  }

  want(rows) {
    if (rows.length && this.viewer.current() && this.viewer.onScreen) this.run(rows);
  }

  async measure(rows) {
    const { sound } = state;
    let fresh = 0;
    const gone = () => this.viewer.signal.aborted || state.sound !== sound || !this.viewer.current() || !this.viewer.onScreen;
    for (const row of rows) {
      if (gone()) return;
      const query = this.query(row);
      const key = JSON.stringify(query);
      if (this.values.has(key)) continue;
      if (this.values.size >= MOST_KEPT) this.values.clear();
      this.values.set(key, null);
      try {
        this.values.set(key, await request(this.viewer.server.measure, query));
      } catch (error) {
        console.info(error.message); // the row shows a dash
      }
      if (gone()) return;
      if (++fresh % DRAW_EVERY === 0) this.changed();
    }
    if (fresh % DRAW_EVERY) this.changed();
  }
}
