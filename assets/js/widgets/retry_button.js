// Asking once more: after a refusal, and where an answer does not come.

import { element } from '../lib/dom.js';
import { word } from '../lib/i18n.js';

const LATE_MS = 30_000; // the server's queue may be full, or the network gone

export function againButton(ask) {
  const button = element('<button type="button" class="sg-button"></button>');
  button.textContent = word('again');
  button.addEventListener('click', ask);
  return button;
}

/** Offer it in a line that says that an answer is waited for, if that still stands there after a while. */
export function offerAgain(line, ask) {
  setTimeout(() => line.append(' ', againButton(ask)), LATE_MS);
}
