// A choice between the app's network and the session's own, shown once there is one.

import { network } from '../../core/network.js';
import { events, showMessage } from '../../core/state.js';
import { element, textElement } from '../../lib/dom.js';
import { t } from '../../lib/i18n.js';

/** Fill an element with the choice, until the signal aborts.
 * @param {HTMLElement} host
 * @param {AbortSignal} signal
 */
export function networkSwitch(host, signal) {
  const group = element('<div class="sg-choices sg-network" role="group" data-aria="teach.use" hidden></div>');
  const buttons = [false, true].map((used) => {
    const button = element('<button type="button" class="sg-chip"></button>');
    button.addEventListener('click', () => network.choose(used).catch((error) => showMessage(error.message)));
    return button;
  });
  group.append(textElement('span', t('teach.use'), 'sg-small'), ...buttons);
  host.append(group);
  const draw = () => {
    group.hidden = !network.own;
    if (!network.own) return;
    buttons[0].textContent = t('teach.use_app');
    buttons[1].textContent = t('teach.use_own', { count: network.own.classes.length });
    buttons.forEach((button, i) => button.setAttribute('aria-pressed', String(network.used === Boolean(i))));
  };
  events.addEventListener('network', draw, { signal });
  draw();
}
