// The network in use: the app's, the session's own that was taught or loaded in the teach tab, or both.

import { emit } from './state.js';
import { t } from '../lib/i18n.js';

/** @typedef {'app' | 'own' | 'both'} Choice */

/** @type {{own: {classes: string[]} | null, choice: Choice, choose: (choice: Choice) => Promise<void>}} */
export const network = { own: null, choice: 'app', choose: async () => {} };

/** Keep the session's own network and the choice; emits 'network'. */
export function setNetwork(own, choice) {
  network.own = own;
  network.choice = choice;
  emit('network');
}

/** The heading of an answer where there are two: the own network's, or the second, the app's. Their probabilities are not on one scale. */
export const answerName = (second) => t(second ? 'teach.answer_app' : 'teach.answer_own');
