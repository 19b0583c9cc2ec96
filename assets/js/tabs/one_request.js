// Base of the components that send one request for each open sound, once they are on screen.

import { token } from '../core/rpc.js';
import { events, state } from '../core/state.js';
import { Component } from '../lib/component.js';
import { offerRetryLater } from '../widgets/retry_button.js';

/** A component with one request a sound. Subclasses have `showWait()`, which returns the line that says so, and `show(reply)`. */
export class OneRequest extends Component {
  /** @type {string | null} the id of the sound that was requested last */
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
    this.trigger = context.trigger;
    this.onValue(context, (reply) => {
      if (reply?.turn !== this.turn || reply.sound !== state.sound?.id) return;
      if (!reply.error) this.turn += 1;
      this.show(reply);
    });
    this.on(events, 'sound', () => this.requestOnce());
    this.on(events, 'network', () => {
      this.requested = null;
      this.requestOnce();
    });
  }

  /** Whether the reply would be seen. */
  get wanted() {
    return this.onScreen;
  }

  requestOnce() {
    if (!state.sound || !this.wanted || this.requested === state.sound.id) return;
    this.requested = state.sound.id;
    this.turn += 1;
    this.send();
  }

  /** Send the request, or the same one again: whichever reply comes first counts. */
  send() {
    offerRetryLater(this.showWait(), () => this.send());
    this.trigger(this.event, { token: token(), sound: state.sound.id, turn: this.turn });
  }

  /** @returns {HTMLElement} */
  showWait() {
    throw new Error('not implemented');
  }

  /** @param {any} reply */
  show(reply) {
    throw new Error(`not implemented: ${reply}`);
  }
}
