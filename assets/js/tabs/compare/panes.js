// The three views of a comparison: A, B, and A minus B. They share the axes, the pointer and one request, which A makes.

import { request } from '../../core/rpc.js';
import { MARGIN, plotArea } from '../../lib/canvas_axes.js';
import { DIVERGING } from '../../lib/colormaps.js';
import { decodeBase64 } from '../../lib/dom.js';
import { formatNumber, t } from '../../lib/i18n.js';
import { displayPanel } from '../../viewer/display_panel.js';
import { addMinimap } from '../../viewer/minimap.js';
import { columnAt } from '../../viewer/plot.js';
import { PLAYBACK_KEYS, selectionOverlay } from '../../viewer/selection.js';
import { shortcutsDialog } from '../../viewer/shortcuts_dialog.js';
import { boxOverlay, toolbar } from '../../viewer/toolbar.js';
import { Mel, Mfcc, Stft } from '../../viewer/views.js';

const GAP = 6; // CSS pixels above and below a plot without labels there
const PLAIN = { lifter: 0, delta: 0 };

/** Keys of the whole tab: those of playback, and of the comparison itself. */
const keys = (viewer) => ({ get keys() { return { ...PLAYBACK_KEYS, ...viewer.comparison?.keys }; } });

/** Return the class of one of the views: `part` is 'a', 'b' or 'difference' in the server's answers.
 * @param {any} Base class of the kind of view
 * @param {string} part
 */
const paneOf = (Base, part) => class extends Base {
  static plugins = part === 'a'
    ? [toolbar, addMinimap, displayPanel, selectionOverlay, keys, shortcutsDialog]
    : [boxOverlay, selectionOverlay];

  /** @type {any} the tab with its `panes`; null until all three exist */
  comparison = null;

  refresh() {
    if (part === 'a' && this.comparison) super.refresh();
  }

  query() {
    const own = super.query();
    return { cepstrum: PLAIN, other_cepstrum: PLAIN, ...own, view: this.view, ...this.comparison.query(this.panel) };
  }

  covers() {
    return false; // mean and root mean square are those of the visible range
  }

  async fetch(query) {
    try {
      return await request(this.server.compare_view, query);
    } catch (error) {
      if (error.key !== 'page.gone' || !this.comparison.forget(query.other)) throw error;
      return request(this.server.compare_view, { ...query, other: query.sound, offset: 0 });
    }
  }

  accept(answer, query) {
    for (const pane of this.comparison.panes) pane.take(answer, query);
    this.call('loaded');
    this.comparison.showTitles(answer);
  }

  take(answer, query) {
    const range = part === 'difference' && { low_db: answer.difference_low, high_db: answer.difference_high };
    this.data = { ...answer, ...range, levels: decodeBase64(answer[part]), request: query };
    this.update();
  }

  clear() {
    if (part === 'a') this.comparison?.panes.slice(1).forEach((pane) => pane.clear());
    super.clear();
  }

  area() {
    const margin = { ...MARGIN, top: part === 'a' ? MARGIN.top : GAP, bottom: part === 'difference' ? MARGIN.bottom : GAP };
    return plotArea(this.plot.getBoundingClientRect(), margin);
  }

  unit() {
    return part === 'a' ? super.unit() : '';
  }

  timeScale(context, area) {
    if (part === 'difference') super.timeScale(context, area);
  }

  get colours() {
    return part === 'difference' ? DIVERGING : super.colours;
  }

  levelRange(data = this.data) {
    return part === 'difference' ? [-data.high_db, data.high_db] : super.levelRange(data);
  }

  /** Level 0, where a sound or its frequencies end, is transparent. */
  palette() {
    return super.palette().fill(0, 0, 1);
  }

  /** The pointer is in all three views at the same place. */
  point(at) {
    const panes = this.comparison?.panes ?? [];
    const above = at ? at.y - this.area().top : 0;
    for (const pane of panes) {
      pane.pointer = at && { x: at.x, y: above + pane.area().top };
      pane.drawOverlay();
    }
    const [lead] = panes;
    lead?.read(lead.pointer && lead.current() && lead.inside(lead.pointer) ? lead.pointer : null);
  }

  readLevel({ x, y }) {
    const { top, height } = this.area();
    const [time, share] = [Math.max(0, this.timeAt(x)), 1 - (y - top) / height];
    const row = this.rowFinder()(share);
    const [a, b, difference] = this.comparison.panes.map((pane) => pane.valueAt(row, time));
    const text = (value, digits = 0) => (value === null ? '–' : formatNumber(value, digits));
    const unit = this.levelUnit();
    const signed = (difference > 0 ? '+' : '') + text(difference, 1);
    const values = [`B ${text(b)} ${unit}`, `A − B ${signed} ${unit}`];
    this.readout.textContent = [
      `${formatNumber(time, 3)} ${t('page.unit_s')}`, this.reading(share, row, `A ${text(a)}`), ...values,
    ].join(' · ');
  }

  /** The value of a row at a time, to a step of the levels; null where there is none. */
  valueAt(row, time) {
    const { levels, columns, low_db: low, high_db: high } = this.data;
    const level = levels[row * columns + columnAt(this.data, time)];
    return level ? low + (level / 255) * (high - low) : null;
  }
};

const triple = (Base) => ['a', 'b', 'difference'].map((part) => paneOf(Base, part));

/** The classes of the three views by kind. */
export const KINDS = { mel: triple(Mel), stft: triple(Stft), mfcc: triple(Mfcc) };
