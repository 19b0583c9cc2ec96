// The choice of the hop between windows.

import { t } from '../lib/i18n.js';

/** Fill a select with hops, which are shares of a clip. */
export function fillHops(select, hops, chosen) {
  for (const hop of hops) select.append(new Option(t(`timeline.hop_${100 * hop}`), hop));
  select.value = chosen;
}
