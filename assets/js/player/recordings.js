// Recordings: the button that saves the open one, and the line for one that could not be opened.

import { guardUnload } from '../core/unload_guard.js';
import { element, saveFile, textElement } from '../lib/dom.js';
import { t } from '../lib/i18n.js';

/** A button that saves the open sound, shown while that is a recording.
 * @param {(recent: import('./recent_sounds.js').Recent) => void} save
 */
export function saveRecordingButton(save) {
  const button = textElement('button', t('player.save_recording'), 'sg-link sg-save-recording');
  button.setAttribute('type', 'button');
  button.title = t('player.save_recording_hint');
  button.hidden = true;
  /** @type {import('./recent_sounds.js').Recent | null} */
  let shown = null;
  button.addEventListener('click', () => save(shown));
  return {
    button,
    /** @param {import('./recent_sounds.js').Recent | null} recent the open sound, if it is of this visit */
    show(recent) {
      shown = recent?.recording ? recent : null;
      button.hidden = !shown;
    },
  };
}

/** A line for a recording that could not be opened: save it, try again, or discard it. */
export function unopenedLine(file, open) {
  const line = element(`<p><span></span><button type="button" class="sg-link" data-t="live.save"></button>
    <button type="button" class="sg-link" data-t="page.retry"></button><button type="button">×</button></p>`);
  const [text, save, retry, discard] = line.children;
  text.textContent = t('player.unopened', { name: file.name });
  discard.ariaLabel = t('player.discard', { name: file.name });
  save.addEventListener('click', () => saveFile([file], file.name, file.type));
  retry.addEventListener('click', open);
  for (const button of [retry, discard]) button.addEventListener('click', () => line.remove());
  for (const button of [save, discard]) button.addEventListener('click', () => guardUnload(file, false));
  return line;
}
