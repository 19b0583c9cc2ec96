// Alternates between A, which the page's player plays, and B, which runs beside it: one of them is muted.

import { audio, play } from '../../core/state.js';
import { slowableAudio } from '../../lib/slowable_audio.js';
import { applySpeed, playback } from '../../player/playback.js';
import { Source } from '../../player/source.js';

const DRIFT_S = 0.04; // more apart as they are heard: B is moved
const EVENTS = ['play', 'playing', 'pause', 'seeked', 'ratechange', 'timeupdate', 'ended'];

export class Alternation {
  clip = slowableAudio();
  side = 'a'; // that is audible
  active = false; // whether B runs along
  offset = 0; // time of A at which B begins
  seconds = 0; // length of B
  gainDb = 0; // of B, so that both are as loud; the louder one is made softer

  /**
   * @param {any} server
   * @param {AbortSignal} signal
   */
  constructor(server, signal) {
    this.source = new Source(this.clip, server, signal);
    for (const name of EVENTS) audio.addEventListener(name, () => this.sync(), { signal });
    signal.addEventListener('abort', () => this.stop());
  }

  /** Play B from now on. */
  load(sound) {
    if (this.source.sound !== sound) this.source.open(sound);
    this.seconds = sound.seconds;
  }

  /** Change some of the settings: `side`, `active`, `offset`, `gainDb`. */
  change(settings) {
    Object.assign(this, settings);
    if (!this.active) this.side = 'a';
    this.sync();
  }

  stop() {
    this.change({ active: false });
  }

  sync() {
    const { clip, active, side, gainDb } = this;
    const volume = (db) => (active ? 10 ** (Math.min(0, db) / 20) : 1);
    [audio.volume, clip.volume] = [volume(-gainDb), volume(gainDb)];
    [audio.muted, clip.muted] = [side === 'b', side !== 'b'];
    const at = audio.currentTime - this.offset;
    if (!active || !clip.src || audio.paused || at < 0 || at >= this.seconds) {
      clip.pause();
      return;
    }
    applySpeed(clip);
    if (!clip.seeking && Math.abs(clip.currentTime - at) > DRIFT_S * playback.speed) clip.currentTime = at;
    if (clip.paused) play(clip);
  }
}
