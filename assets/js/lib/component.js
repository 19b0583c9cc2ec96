// Base of the page's components: elements, listeners and teardown.

import { find, translated } from './dom.js';
import { messagesReady } from './i18n.js';

/** A component that fills `host`. `host.component` is its handle for tests and the console. */
export class Component {
  lifetime = new AbortController();
  /** @type {AbortSignal} ends every listener and observer of the component */
  signal = this.lifetime.signal;

  /**
   * @param {any} host the element to fill
   * @param {string} skeleton markup of ours, see `translated`
   */
  constructor(host, skeleton) {
    host.component?.destroy();
    host.innerHTML = skeleton;
    translated(host);
    host.component = this;
    this.host = host;
  }

  /** Stop listening and empty the host. */
  destroy() {
    this.lifetime.abort();
    this.host.replaceChildren();
  }

  find(selector) {
    return find(this.host, selector);
  }

  /** Add a listener for each of the names, which have spaces between them, for as long as the component exists.
   * @param {EventTarget} target
   * @param {string} names
   * @param {(event: any) => void} listener
   */
  on(target, names, listener) {
    for (const name of names.split(' ')) target.addEventListener(name, listener, { signal: this.signal });
  }

  /** Call `take` with each value that the server sends to the component.
   * @param {{watch: Function, props: any}} context
   * @param {(value: any) => void} take
   */
  onValue({ watch, props }, take) {
    watch('value', () => { if (!this.signal.aborted) take(props.value); });
  }

  /** Show an error in the line for it; without a text hide the line. */
  showError(text = '') {
    const line = this.find('.sg-error');
    [line.hidden, line.textContent] = [!text, text];
  }

  get onScreen() {
    return this.host.offsetParent !== null;
  }
}

/** Return the `mount(root, context)` of a component, which waits for the texts of the page.
 * @template {Component} T
 * @param {string} selector the host within `root`
 * @param {new (host: any, context: any) => T} Kind
 */
export function mounting(selector, Kind) {
  return async (root, context) => {
    await messagesReady;
    return new Kind(root.querySelector(selector), { ...context, root });
  };
}
