// The browser's history: an entry for each tab and each sound that was opened, so that Back returns to the one before.

import { events, state } from './state.js';
import { currentTab } from './tabs.js';

/** @typedef {{tab: string, sound: string | null, own: boolean}} Place `sound`: its digest; `own`: no example */

/** @type {Place | null} of the present entry, once it is written */
let place = null;
/** @type {Place | null} of an entry that Back or Forward led to, until it is there */
let awaited = null;

const placeNow = () => ({
  tab: currentTab() ?? 'mel', sound: state.sound?.digest ?? null, own: Boolean(state.sound && !state.sound.example),
});

/** Write the page's address, into a new entry if the tab or the sound is another one. */
export function writeAddress(address) {
  const now = placeNow();
  if (awaited && (now.tab !== awaited.tab || (awaited.sound && now.sound !== awaited.sound))) return;
  awaited = null;
  const moved = place && (now.tab !== place.tab || (place.sound && now.sound !== place.sound));
  const changed = location.pathname + location.search + location.hash !== address || now.sound !== place?.sound;
  const entry = { ...history.state, soundglass: now };
  if (moved) history.pushState(entry, '', address);
  else if (changed) history.replaceState(entry, '', address);
  place = now;
}

/** The digest of the user's own sound that the present entry is of, where another sound or none is open. */
export function ownSoundOfEntry() {
  const { sound, own } = history.state?.soundglass ?? {};
  return own && sound !== state.sound?.digest ? sound : null;
}

window.addEventListener('popstate', (event) => {
  place = awaited = event.state?.soundglass ?? null;
});
events.addEventListener('opened', () => { awaited = null; }); // whether or not that worked
