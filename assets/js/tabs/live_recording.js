// The recording of the live tab: opened as the session's sound, offered for saving.

import { emit, events, state } from '../core/state.js';
import { openTab } from '../core/tabs.js';
import { element, find } from '../lib/dom.js';
import { formatTime, t } from '../lib/i18n.js';

const LINKS = `<button type="button" class="sg-link" data-tab="mel" data-t="live.see"></button>
  <button type="button" class="sg-link" data-tab="classify" data-t="page.tab_classify"></button>
  <a class="sg-link" data-t="live.save"></a>`;

export class LiveRecording {
  /** @type {File | null} */
  file = null;
  shortened = false; // whether it is only the end of what was recorded

  /**
   * @param {HTMLElement} box the element to fill
   * @param {number} minutes how much of a recording is kept
   * @param {AbortSignal} signal
   */
  constructor(box, minutes, signal) {
    this.box = box;
    this.minutes = minutes;
    box.append(element('<span></span>'), ...element(`<div>${LINKS}</div>`).children);
    this.save = find(box, 'a');
    box.addEventListener('click', ({ target }) => {
      const { tab } = /** @type {HTMLElement} */ (target).dataset;
      if (tab) openTab(tab);
    });
    events.addEventListener('sound', () => this.opened(), { signal });
    events.addEventListener('recording_failed', (/** @type {CustomEvent} */ { detail: { file } }) => {
      if (file === this.file) this.show(t('player.unopened', { name: file.name }));
    }, { signal });
    signal.addEventListener('abort', () => this.forget());
  }

  /** Offer a file for saving, and have the player open it. */
  keep(file, shortened) {
    this.file = file;
    this.shortened = shortened;
    this.save.href = URL.createObjectURL(file);
    this.save.download = file.name;
    this.show(t('live.opening'));
    emit('recorded', { file });
  }

  show(text, opened = false) {
    this.box.hidden = false;
    this.box.firstChild.textContent = text;
    for (const link of this.box.querySelectorAll('button')) link.hidden = !opened;
  }

  /** Forget the recording: another sound or another recording replaces it. */
  forget() {
    this.box.hidden = true;
    URL.revokeObjectURL(this.save.href);
    this.save.removeAttribute('href');
    this.file = null;
  }

  opened() {
    if (state.sound.name !== this.file?.name) this.forget();
    else this.show(t(this.shortened ? 'live.kept_last' : 'live.kept', { length: formatTime(state.sound.seconds), minutes: this.minutes }), true);
  }
}
