// Asking once more: after a refusal, and where an answer does not come.

import { element } from '../lib/dom.js';
import { t } from '../lib/i18n.js';

const LATE_MS = 30_000; // the server's queue may be full, or the network gone

export function retryButton(ask) {
  const button = element('<button type="button" class="sg-button"></button>');
  button.textContent = t('page.retry');
  button.addEventListener('click', ask);
  return button;
}

/** Offer it in a line that says that an answer is waited for, if that still stands there after a while. */
export function offerRetryLater(line, ask) {
  setTimeout(() => line.append(' ', retryButton(ask)), LATE_MS);
}
