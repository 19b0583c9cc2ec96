// A second view above a view, on its time axis: with the same sound, selection, parameters, pointer and playhead.

import { secondOf } from '../core/display_settings.js';
import { MARGIN, plotArea } from '../lib/canvas_axes.js';
import { element, textElement } from '../lib/dom.js';
import { t } from '../lib/i18n.js';
import { selectionOverlay } from './selection.js';
import { boxOverlay } from './toolbar.js';

const GAP = 6; // CSS pixels above and below a plot without labels there

/** The second view of a view; the display's settings choose its kind. A waveform is a strip (see waveform_strip.js). */
export class SecondView {
  /** @type {any} */
  pane = null;
  /** @type {{viewer: any, time: number} | null} */
  pointed = null; // in one of the two

  /**
   * @param {any} lead the view
   * @param {Record<string, any>} kinds classes of the views by name
   */
  constructor(lead, kinds) {
    this.lead = lead;
    this.kinds = kinds;
    this.link(lead, () => this.pane);
    lead.onState('display', () => this.update());
    lead.signal.addEventListener('abort', () => this.close());
    this.update();
  }

  /** Show the chosen kind. */
  update() {
    const { lead } = this;
    const kind = secondOf(lead.view);
    const wanted = ['none', 'wave'].includes(kind) ? '' : kind;
    if ((this.pane?.view ?? '') === wanted) return;
    this.close();
    lead.host.toggleAttribute('data-second', Boolean(wanted));
    if (!wanted) return;
    const host = element('<div class="sg-viewer sg-pane sg-second"></div>'); // without the last one's state
    host.dataset.owner = `${lead.owner}-second`;
    lead.above.append(host);
    const pane = this.pane = new (paneOf(this.kinds[kind], lead))(host, lead.server, null);
    pane.plot.append(textElement('p', t(`page.tab_${kind}`), 'sg-pane-title'));
    this.link(pane, () => lead);
  }

  /** Draw the time that is pointed at in one view in the other, too. */
  link(viewer, other) {
    viewer.hooks.push({
      point: (at) => {
        if (!at && this.pointed?.viewer !== viewer) return;
        this.pointed = at && { viewer, time: at.time };
        other()?.drawOverlay();
      },
      overlay: (context) => {
        if (!this.pointed || this.pointed.viewer === viewer) return;
        const { top, height } = viewer.area();
        context.fillStyle = 'rgb(255 255 255 / 45%)';
        context.fillRect(viewer.xOf(this.pointed.time), top, 1, height);
      },
    });
  }

  close() {
    this.pointed = null;
    this.pane?.destroy();
    this.pane?.host.remove();
    this.pane = null;
  }
}

/** Return the class of a second view: without tools, parameters and labels of the time axis, which are the first view's.
 * @param {any} Base
 * @param {any} lead
 * @returns {any}
 */
const paneOf = (Base, lead) => class extends Base {
  static plugins = [boxOverlay, selectionOverlay, (viewer) => { viewer.onState('parameters', () => viewer.refresh()); }];

  area() {
    return plotArea(this.plot.getBoundingClientRect(), { ...MARGIN, top: GAP, bottom: GAP });
  }

  timeScale() {}

  /** Write what is pointed at into the first view's readout. */
  read(at) {
    this.readout = lead.readout;
    if (at || !lead.pointer) super.read(at);
  }
};
