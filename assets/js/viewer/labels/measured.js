// Measurements of labels, requested one after another for the rows that are shown, and for those of a file.

import { latestOnly, request } from '../../core/rpc.js';
import { state } from '../../core/state.js';

const MOST_KEPT = 10_000;
const DRAW_EVERY = 8; // measurements

export class Measured {
  values = new Map(); // by sound, parameters and box; null: refused
  asked = new Map(); // what ends when a reply is there, likewise
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

  /** Whether a label is measured, or refused to be. */
  has(label) {
    if (!this.viewer.current()) return false;
    return this.values.has(JSON.stringify(this.query(label)));
  }

  want(rows) {
    if (rows.length && this.viewer.current() && this.viewer.onScreen) this.run(rows);
  }

  /** Measure rows unless they are measured; those that are left at the time `until` stay as they are. */
  async measure(rows, until = Infinity) {
    const { sound } = state;
    let fresh = 0;
    const gone = () => this.viewer.signal.aborted || state.sound !== sound || !this.viewer.current() || !this.viewer.onScreen;
    for (const row of rows) {
      if (gone() || performance.now() > until) break;
      const query = this.query(row);
      const key = JSON.stringify(query);
      if (this.values.has(key)) continue;
      if (!this.asked.has(key)) this.asked.set(key, this.ask(query, key));
      await this.asked.get(key);
      if (this.values.has(key) && ++fresh % DRAW_EVERY === 0 && !gone()) this.changed(); // which asks for what is missing
    }
    if (fresh % DRAW_EVERY && !gone()) this.changed();
  }

  async ask(query, key) {
    const keep = (values) => {
      if (this.values.size >= MOST_KEPT) this.values.clear();
      this.values.set(key, values);
    };
    try {
      keep(await request(this.viewer.server.measure, query));
    } catch (error) {
      console.info(error.message); // the row shows a dash
      if (!['offline', 'page.busy'].includes(error.key)) keep(null); // else asked again with the next rows
    } finally {
      this.asked.delete(key);
    }
  }
}
