// The file that a player plays: the open sound's own or, at a tenth of the speed, a slower copy, since not every browser
// plays so slowly by itself (Firefox is silent below a quarter).

import { request } from '../core/rpc.js';
import { events, play, showMessage } from '../core/state.js';
import { fileUrl } from '../lib/dom.js';
import { SLOWEST, applySpeed, playback, setSpeed } from './playback.js';

export class Source {
  /** @type {any} the sound that plays */
  sound = null;

  /**
   * @param {import('../lib/slowable_audio.js').SlowableAudio} player
   * @param {any} server
   * @param {AbortSignal} signal
   */
  constructor(player, server, signal) {
    this.player = player;
    this.server = server;
    this.signal = signal;
    events.addEventListener('playback', () => this.follow(), { signal });
  }

  /** Play another sound from its start. */
  open(sound) {
    this.sound = sound;
    this.use(sound.url, 1);
    this.follow();
  }

  /** Change to the file that goes with the speed. */
  async follow() {
    const { sound, player, signal } = this;
    const slow = playback.speed === SLOWEST;
    if (!sound || slow === player.slowdown > 1) return;
    if (!slow) return this.change(sound.url, 1);
    try {
      sound.slowed ??= request(this.server.slowed_copy, { sound: sound.id });
      const { url, slowdown } = await sound.slowed;
      if (!signal.aborted && this.sound === sound && playback.speed === SLOWEST && player.slowdown === 1) this.change(url, slowdown);
    } catch (error) {
      delete sound.slowed;
      if (signal.aborted || this.sound !== sound || playback.speed !== SLOWEST) return;
      showMessage(error.message);
      setSpeed(0.25);
    }
  }

  /** Go on in another file of the same sound. */
  change(url, slowdown) {
    const { currentTime, paused } = this.player;
    this.use(url, slowdown);
    this.player.currentTime = currentTime;
    if (!paused) play(this.player);
  }

  use(url, slowdown) {
    this.player.pause();
    this.player.slowdown = slowdown;
    applySpeed(this.player);
    this.player.src = fileUrl(url);
  }
}
