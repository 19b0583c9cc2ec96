// The player's record button: records from the microphone for a limited time and opens the recording.

import { audio, showMessage } from '../core/state.js';
import { guardUnload } from '../core/unload_guard.js';
import { formatTime, t } from '../lib/i18n.js';
import { PcmBuffer } from '../lib/pcm_buffer.js';
import { microphoneError, openMicrophone } from './microphone.js';

const LIMIT_MINUTES = 10;
const UPDATE_MS = 80;
const FLOOR_DB = -60; // of the level shown

export class RecordButton {
  /** @type {Awaited<ReturnType<typeof openMicrophone>> | null} */
  microphone = null;
  /** @type {PcmBuffer | null} */
  buffer = null;
  peak = 0; // the greatest sample since the last update
  asking = false; // for the microphone
  timer = 0;

  /** @param {import('../lib/component.js').Component & {openRecording: Function, message: Function}} player */
  constructor(player) {
    this.player = player;
    const [button, meter, hint] = ['.sg-record', '.sg-meter', '.sg-hint'].map((selector) => player.find(selector));
    this.parts = { button, meter, hint };
    player.on(button, 'click', () => (this.microphone ? this.stop() : this.start()));
    player.signal.addEventListener('abort', () => this.stop());
  }

  async start() {
    if (this.asking) return;
    this.asking = true;
    this.parts.button.ariaDisabled = 'true'; // not `disabled`, which would take the focus from it
    try {
      audio.pause();
      const microphone = await openMicrophone((samples) => this.take(samples), () => this.stop());
      if (this.player.signal.aborted) return void microphone.close();
      this.microphone = microphone;
      this.buffer = new PcmBuffer(this.microphone.rate, LIMIT_MINUTES * 60);
      guardUnload('recording', true);
      this.player.message('');
      this.show(true);
      this.timer = setInterval(() => this.update(), UPDATE_MS);
    } catch (error) {
      showMessage(microphoneError(error));
    } finally {
      this.asking = false;
      this.parts.button.ariaDisabled = null;
    }
  }

  take(samples) {
    if (!this.buffer) return; // the first ones, before all is set up
    this.buffer.add(samples);
    for (const value of samples) this.peak = Math.max(this.peak, Math.abs(value));
    if (this.buffer.received >= LIMIT_MINUTES * 60 * this.buffer.rate) this.stop(true);
  }

  update() {
    const db = 20 * Math.log10(Math.max(1e-4, this.peak));
    this.peak = 0;
    this.parts.meter.firstChild.style.width = `${Math.round(100 * (1 - db / FLOOR_DB))}%`;
    this.parts.hint.textContent = `${t('player.recording')} ${formatTime(this.buffer.received / this.buffer.rate)}`;
  }

  async stop(limit = false) {
    const { microphone, buffer } = this;
    if (!microphone) return;
    this.microphone = this.buffer = null;
    clearInterval(this.timer);
    this.show(false);
    await microphone.close();
    const opening = this.player.openRecording(buffer.file('recording'));
    guardUnload('recording', false); // its file is guarded now
    if ((await opening) && limit) showMessage(t('player.mic_limit', { minutes: LIMIT_MINUTES }), 'note');
  }

  show(on) {
    this.parts.button.toggleAttribute('data-on', on);
    this.parts.button.querySelector('span').textContent = t(on ? 'player.stop' : 'player.record');
    this.parts.meter.hidden = this.parts.hint.hidden = !on;
  }
}
