// The network in use: the app's, or the session's own that was taught or loaded in the teach tab.

import { emit } from './state.js';

/** @type {{own: {classes: string[]} | null, used: boolean, choose: (used: boolean) => Promise<void>}} */
export const network = { own: null, used: false, choose: async () => {} };

/** Keep the session's own network, and whether it is in use; emits 'network'. */
export function setNetwork(own, used) {
  network.own = own;
  network.used = used;
  emit('network');
}
