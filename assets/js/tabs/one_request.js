// Base of the components that send one request for each open sound, or interval of it, once they are on screen.

import { token } from '../core/rpc.js';
import { events, state } from '../core/state.js';
import { Component } from '../lib/component.js';
import { offerRetryLater } from '../widgets/retry_button.js';
import { newestOnly } from './newest_only.js';

/** A component with one request a sound or interval. Subclasses have `showWait()`, which returns the line that says so, and `show(reply)`. */
export class OneRequest extends Component {
  /** @type {string | null} the sound and interval that were requested last */
  requested = null;
  turn = Date.now(); // counts requests: only the first reply to the latest one is shown

  /**
   * @param {any} host
   * @param {string} event the name of the event on the server
   * @param {any} context
   */
  constructor(host, event, context) {
    super(host, '');
    this.event = event;
    this.trigger = newestOnly(context, this.signal);
    this.onValue(context, (reply) => {
      if (reply?.turn !== this.turn || reply.sound !== state.sound?.id) return;
      if (!reply.error) this.turn += 1;
      this.show(reply);
    });
    this.on(events, 'sound asked', () => this.requestOnce());
    this.on(events, 'network', () => {
      if (state.asked) delete state.asked.label; // a class of the other network
      this.requested = null;
      this.requestOnce();
    });
  }

  /** Whether the reply would be seen. */
  get wanted() {
    return this.onScreen;
  }

  requestOnce() {
    if (!state.sound || !this.wanted) return;
    const { asked } = state;
    const about = JSON.stringify([state.sound.id, asked?.start, asked?.end]);
    if (this.requested === about) {
      if (asked) this.again();
      return;
    }
    this.requested = about;
    this.turn += 1;
    this.send();
  }

  /** Send the request, or the same one again: whichever reply comes first counts. */
  send(retry = false) {
    offerRetryLater(this.showWait(), () => this.send(true));
    const { start, end } = state.asked ?? {};
    this.trigger(this.event, { token: token(), sound: state.sound.id, turn: this.turn, ...(state.asked && { start, end }) }, retry);
  }

  /** Follow a question about the interval that is shown, such as with another class to explain. */
  again() {}

  /** @returns {HTMLElement} */
  showWait() {
    throw new Error('not implemented');
  }

  /** @param {any} reply */
  show(reply) {
    throw new Error(`not implemented: ${reply}`);
  }
}
