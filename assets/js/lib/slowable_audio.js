// Audio elements that can play a copy of their sound which is slower by a factor.

/** @typedef {HTMLAudioElement & {slowdown: number}} SlowableAudio `slowdown`: of the file that it plays */

const native = Object.getOwnPropertyDescriptor(HTMLMediaElement.prototype, 'currentTime');

/** Return an audio element whose `currentTime` is that of the sound, whichever file plays. */
export function slowableAudio() {
  const player = /** @type {SlowableAudio} */ (new Audio());
  player.preload = 'auto';
  player.slowdown = 1;
  Object.defineProperty(player, 'currentTime', {
    get: () => native.get.call(player) / player.slowdown,
    set: (seconds) => native.set.call(player, seconds * player.slowdown),
  });
  return player;
}
