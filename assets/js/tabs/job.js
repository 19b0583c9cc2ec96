// Base of the tabs that run a job on the server: the hop of its windows, start and stop, progress and error.

import { request } from '../core/rpc.js';
import { Component } from '../lib/component.js';
import { t } from '../lib/i18n.js';

/** Markup of the controls; `name` is the progress bar's message, `more` further buttons. */
export const controls = (name, more = '') => `
  <label><span data-t="timeline.hop"></span><select class="sg-hop"></select></label>
  <button type="button" class="sg-button sg-start-stop"></button>${more}
  <div class="sg-progress" role="progressbar" aria-valuemin="0" data-aria="${name}"><i></i></div>
  <output class="sg-progress-text" aria-live="off"></output>`;

/** A component with `controls`. Subclasses have `busy`, `run()`, `stop()`, `changeHop()` and `take(reply)`. */
export class Job extends Component {
  hop = 0.5; // of the windows, in clips
  turn = Date.now(); // counts runs: replies of earlier ones are ignored
  stage = 'idle';

  constructor(host, skeleton, context) {
    super(host, skeleton);
    this.server = context.server;
    this.trigger = context.trigger;
    this.props = context.props;
    const select = this.find('.sg-hop');
    select.append(...this.props.hops.map((hop) => new Option(t(`timeline.hop_${100 * hop}`), hop)));
    select.value = this.hop;
    this.on(select, 'change', () => {
      this.hop = Number(select.value);
      this.changeHop();
    });
    this.on(this.find('.sg-start-stop'), 'click', () => (this.busy ? this.stop() : this.run()));
    this.onValue(context, (reply) => { if (reply?.turn === this.turn) this.take(reply); });
  }

  /** Tell the server that the runs before this turn have ended; the next run does so, too. */
  notify(fn, failed = (/** @type {Error} */ error) => console.info(error.message)) {
    request(fn, { turn: this.turn }).catch(failed);
  }

  /** Show the progress; `again` is the button's text where the job can go on, `done` may exceed what is `finished`.
   * @param {{again: string, text: string, total: number, finished: number, done?: number}} progress
   */
  drawProgress({ again, text, total, finished, done = finished }) {
    const [button, bar] = [this.find('.sg-start-stop'), this.find('.sg-progress')];
    button.textContent = this.busy ? t('player.stop') : again;
    button.hidden = !this.busy && !again;
    bar.hidden = !this.busy;
    bar.firstChild.style.width = `${(100 * done) / (total || 1)}%`;
    [bar.ariaValueMax, bar.ariaValueNow] = [total.toFixed(0), finished.toFixed(0)];
    this.find('.sg-progress-text').textContent = text;
  }

  get busy() {
    return this.stage === 'working';
  }

  run() {}

  stop() {}

  changeHop() {}

  /** @param {any} _reply */
  take(_reply) {}
}
