// A choice between the app's network, the session's own and both, shown once there is an own one.

import { network } from '../../core/network.js';
import { events, showMessage } from '../../core/state.js';
import { element, textElement } from '../../lib/dom.js';
import { t } from '../../lib/i18n.js';

const CHOICES = /** @type {const} */ (['app', 'own', 'both']);

/** Fill an element with the choice, until the signal aborts.
 * @param {HTMLElement} host
 * @param {AbortSignal} signal
 */
export function networkSwitch(host, signal) {
  const group = element('<div class="sg-choices sg-network" role="group" data-aria="teach.use" hidden></div>');
  const buttons = CHOICES.map((choice) => {
    const button = element('<button type="button" class="sg-chip"></button>');
    button.dataset.choice = choice;
    button.addEventListener('click', () => network.choose(choice).catch((error) => showMessage(error.message)));
    return button;
  });
  group.append(textElement('span', t('teach.use'), 'sg-small'), ...buttons);
  host.append(group);
  const draw = () => {
    group.hidden = !network.own;
    if (!network.own) return;
    for (const button of buttons) {
      const choice = button.dataset.choice;
      button.textContent = t(`teach.use_${choice}`, { count: network.own.classes.length });
      button.setAttribute('aria-pressed', String(network.choice === choice));
    }
  };
  events.addEventListener('network', draw, { signal });
  draw();
}
