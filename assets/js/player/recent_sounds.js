// The user's own sounds that were opened last: kept in the browser over reloads, listed, reopened and forgotten.

import { readingOf, sameReading } from '../core/reading.js';
import { element } from '../lib/dom.js';
import { allKept, forget, forgetAll, keep, kept } from '../lib/database.js';
import { t } from '../lib/i18n.js';

const MOST_SOUNDS = 6;
const MOST_BYTES = 300e6; // of all
const PREFIX = 'kept:'; // of values in the list of sounds
const FORGET = 'forget-kept';

/** @typedef {{digest: string, name: string, file?: File, query?: object, recording?: boolean, reading?: object, used?: number}} Recent
 * `reading`: how the file is read, as `readingOf` returns
 */

/** The group of kept sounds in the player's list. */
export class RecentSounds {
  /** @type {Map<string, Recent>} of this visit, also those that are too large to keep */
  opened = new Map();
  /** @type {WeakSet<File>} not to be kept again */
  forgotten = new WeakSet();

  /**
   * @param {HTMLSelectElement} list
   * @param {AbortSignal} signal
   */
  constructor(list, signal) {
    this.signal = signal;
    this.group = element('<optgroup hidden></optgroup>');
    this.group.label = t('player.kept');
    list.append(this.group);
    this.draw();
  }

  /** Remember a sound that was opened, and keep its file unless it is too large.
   * @param {Recent} recent
   */
  async add(recent) {
    const { digest, file } = recent;
    this.opened.set(digest, recent);
    if (!file || file.size > MOST_BYTES || this.forgotten.has(file)) return;
    try {
      const others = (await allKept('sounds')).filter((one) => one.digest !== digest).sort((a, b) => b.used - a.used);
      let [count, bytes] = [1, file.size];
      for (const one of others) {
        count += 1;
        bytes += one.file.size;
        if (count > MOST_SOUNDS || bytes > MOST_BYTES) await forget('sounds', one.digest);
      }
      if (!this.forgotten.has(file)) await keep('sounds', digest, { ...recent, used: Date.now() });
    } catch (error) {
      console.info(String(error)); // off or full: the sound lasts as long as the page
    }
    await this.draw();
  }

  /** Remember how the file of an opened sound is read now. */
  readAs(sound) {
    const recent = this.opened.get(sound.digest);
    if (recent && !sameReading(recent.reading, readingOf(sound))) this.add({ ...recent, reading: readingOf(sound) });
  }

  /** Find a sound by its digest; null: it is not kept.
   * @param {string} digest
   * @returns {Promise<Recent | null>}
   */
  async find(digest) {
    return this.opened.get(digest) ?? (await kept('sounds', digest).catch(() => null)) ?? null;
  }

  /** The digest that a value of the list stands for, or ''. */
  digestOf(value) {
    return value.startsWith(PREFIX) ? value.slice(PREFIX.length) : '';
  }

  /** Delete all kept files for good, if the value of the list says so; return whether it does. Those of this visit last as long
   * as the page. */
  async forgetIf(value) {
    if (value !== FORGET) return false;
    for (const { file } of this.opened.values()) if (file) this.forgotten.add(file);
    await forgetAll('sounds').catch((error) => console.info(String(error)));
    await this.draw();
    return true;
  }

  async draw() {
    const list = await allKept('sounds').catch(() => []);
    if (this.signal.aborted) return;
    list.sort((a, b) => b.used - a.used);
    const options = list.map(({ digest, name }) => new Option(name, PREFIX + digest));
    this.group.replaceChildren(...options, ...(list.length ? [new Option(t('player.forget'), FORGET)] : []));
    this.group.hidden = !list.length;
  }
}
