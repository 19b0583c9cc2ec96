// Requests of an event one after the other, of those that wait the newest only.
//
// Gradio's own trigger mode "always_last" sends the data of the request before again.

const LOST_MS = 30_000; // without a reply: the next one is sent

/** Return a `trigger` that waits for the reply to the request before, if not told to `retry`.
 * @param {{trigger: Function, watch: Function, props: any}} context
 * @param {AbortSignal} signal of the component
 */
export function newestOnly({ trigger, watch, props }, signal) {
  let [number, timer] = [0, 0]; // the timer runs while a reply is awaited
  let waiting = /** @type {[string, any] | null} */ (null);
  const send = (/** @type {string} */ event, /** @type {any} */ request) => {
    clearTimeout(timer);
    timer = setTimeout(goOn, LOST_MS);
    waiting = null;
    number += 1; // it comes back: equal replies to two requests would not be noticed
    trigger(event, { ...request, number });
  };
  const goOn = () => { // the reply has come, or is lost
    clearTimeout(timer);
    timer = 0;
    if (waiting) send(...waiting);
  };
  watch('value', () => { if (props.value?.number === number && !signal.aborted) goOn(); });
  signal.addEventListener('abort', () => clearTimeout(timer));
  return (/** @type {string} */ event, /** @type {any} */ request, retry = false) => {
    if (timer && !retry) waiting = [event, request];
    else send(event, request);
  };
}
