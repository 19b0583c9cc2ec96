// The player's record button: records from the microphone and opens the recording.

import { audio, showMessage } from '../core/state.js';
import { guardUnload } from '../core/unload_guard.js';
import { formatTime, t } from '../lib/i18n.js';
import { microphoneError } from './microphone.js';
import { LIMIT_MINUTES, record } from './recorder.js';

const UPDATE_MS = 80;
const FLOOR_DB = -60; // of the level shown

/** Make a player's record button work.
 * @param {import('../lib/component.js').Component & {openRecording: (file: File) => Promise<boolean>, message: Function}} player
 */
export function wireRecorder(player) {
  let recording = null;
  let asking = false; // for the microphone
  let timer = 0;
  const [button, meter, hint] = ['.sg-record', '.sg-meter', '.sg-hint'].map((selector) => player.find(selector));
  const show = (on) => {
    button.toggleAttribute('data-on', on);
    button.querySelector('span').textContent = t(on ? 'player.stop' : 'player.record');
    meter.hidden = !on;
    if (!on) hint.textContent = t('player.mic_hint');
  };
  const stop = async (limit) => {
    const ended = recording;
    recording = null;
    clearInterval(timer);
    show(false);
    const file = await ended.stop();
    const opening = player.openRecording(file);
    guardUnload('recording', false); // its file is guarded now
    if ((await opening) && limit) showMessage(t('player.mic_limit', { minutes: LIMIT_MINUTES }), 'note');
  };
  const update = () => {
    const db = 20 * Math.log10(Math.max(1e-4, recording.level()));
    meter.firstChild.style.width = `${Math.round(100 * (1 - db / FLOOR_DB))}%`;
    hint.textContent = `${t('player.recording')} ${formatTime(recording.seconds())}`;
  };
  const start = async () => {
    asking = true;
    button.setAttribute('aria-disabled', 'true'); // not `disabled`, which would take the focus from it
    try {
      audio.pause();
      recording = await record((limit) => { if (recording) stop(limit); });
      guardUnload('recording', true);
      player.message('');
      show(true);
      timer = setInterval(update, UPDATE_MS);
    } catch (error) {
      showMessage(microphoneError(error));
    } finally {
      asking = false;
      button.removeAttribute('aria-disabled');
    }
  };
  button.addEventListener('click', () => {
    if (recording) stop(false);
    else if (!asking) start();
  });
  player.signal.addEventListener('abort', () => { if (recording) stop(false); });
}
