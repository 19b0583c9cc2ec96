// The recording of the live tab: opened as the session's sound, offered for saving.

import { emit, events, state } from '../../core/state.js';
import { openTab } from '../../core/tabs.js';
import { saveFile, translated } from '../../lib/dom.js';
import { formatTime, t } from '../../lib/i18n.js';

const SKELETON = `<span></span><button type="button" class="sg-link" data-tab="mel" data-t="live.see"></button>
  <button type="button" class="sg-link" data-tab="classify" data-t="page.tab_classify"></button>
  <button type="button" class="sg-link" data-do="save" data-t="live.save"></button>`;

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
    box.innerHTML = SKELETON;
    translated(box).addEventListener('click', ({ target }) => {
      const { tab, do: action } = /** @type {HTMLElement} */ (target).dataset;
      if (tab) openTab(tab);
      if (!action) return;
      saveFile([this.file], this.file.name, this.file.type);
      emit('recording_saved', { file: this.file });
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
    this.show(t('live.opening'));
    emit('recorded', { file });
  }

  show(text, opened = false) {
    this.box.hidden = false;
    this.box.firstChild.textContent = text;
    for (const link of this.box.querySelectorAll('button')) link.hidden = Boolean(link.dataset.tab) && !opened;
  }

  /** Forget the recording: another sound or another recording replaces it. */
  forget() {
    this.box.hidden = true;
    this.file = null;
  }

  opened() {
    const values = { length: formatTime(state.sound.seconds), minutes: this.minutes };
    if (state.sound.name !== this.file?.name) this.forget();
    else this.show(t(this.shortened ? 'live.kept_last' : 'live.kept', values), true);
  }
}
