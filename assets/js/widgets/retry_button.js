// Retry button, shown after an error or a 30 s timeout.

import { element } from '../lib/dom.js';

const LATE_MS = 30_000; // the server's queue may be full, or the network gone

/** Return a button that sends a request again.
 * @param {() => void} send
 * @returns {HTMLButtonElement}
 */
export function retryButton(send) {
  const button = element('<button type="button" class="sg-button" data-t="page.retry"></button>');
  button.addEventListener('click', send);
  return button;
}

/** Whether another try may change a reply that is an error: not where the sound is too short or otherwise none to classify.
 * @param {{key?: string}} reply
 */
export const retryHelps = ({ key = '' }) => !key.startsWith('audio.too_short') && key !== 'audio.refused';

/** Append one to a line that says that a reply is awaited, if the line is still there after a while. */
export function offerRetryLater(line, send) {
  setTimeout(() => line.append(' ', retryButton(send)), LATE_MS);
}
