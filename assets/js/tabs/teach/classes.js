// The classes to teach and their examples: cards with a name, files and what adds more.

import { Component } from '../../lib/component.js';
import { element, textElement } from '../../lib/dom.js';
import { formatNumber, t } from '../../lib/i18n.js';

/** @typedef {object} Example
 * @property {string} name
 * @property {File} [file] until it is on the server
 * @property {string} [id] on the server
 * @property {string} [error]
 *
 * @typedef {object} TaughtClass
 * @property {string} name
 * @property {boolean} other whether it stands for all other sounds
 * @property {Example[]} examples
 */

const CARD = `
  <section class="sg-class">
    <div class="sg-class-head">
      <input type="text" class="sg-class-name" maxlength="60" data-aria="teach.name" spellcheck="false">
      <button type="button" class="sg-class-remove" data-aria="teach.remove_class" data-tip="teach.remove_class">×</button>
    </div>
    <p class="sg-small sg-class-count"></p>
    <ul class="sg-class-files"></ul>
    <div class="sg-sources">
      <label class="sg-chip sg-pick"><span data-t="teach.add_files"></span><input type="file" multiple></label>
      <button type="button" class="sg-chip sg-add-sound"></button>
    </div>
    <label class="sg-small sg-other"><input type="checkbox"><span data-t="teach.other"></span></label>
  </section>`;

export class Classes extends Component {
  /** @type {TaughtClass[]} */
  list = [];

  /**
   * @param {any} host
   * @param {{least: number, addFiles: Function, addSound: Function, removed: Function, changed: Function}} acts
   */
  constructor(host, acts) {
    super(host, '');
    this.acts = acts;
  }

  /** The class of a name, added if it is new. */
  named(name) {
    let found = this.list.find((one) => one.name === name);
    if (!found) {
      found = { name, other: false, examples: [] };
      this.list = [...this.list.filter((one) => one.name || one.examples.length), found];
    }
    return found;
  }

  /** @param {TaughtClass} one */
  remove(one) {
    this.list = this.list.filter((other) => other !== one);
    this.acts.removed(one.examples);
  }

  /** @param {Example} example */
  drop(example) {
    for (const one of this.list) one.examples = one.examples.filter((other) => other !== example);
    this.acts.removed([example]);
  }

  /** @param {Example} example
   * @param {TaughtClass} target
   */
  move(example, target) {
    for (const one of this.list) one.examples = one.examples.filter((other) => other !== example);
    target.examples.push(example);
    this.acts.changed();
  }

  /** @param {string} soundText what the button that adds the open sound says; '' without a sound */
  draw(soundText) {
    const names = () => /** @type {HTMLInputElement[]} */ ([...this.host.querySelectorAll('.sg-class-name')]);
    const focused = names().find((name) => name === document.activeElement);
    const [place, caret] = [names().indexOf(focused), focused?.selectionStart];
    this.host.replaceChildren(...this.list.map((one) => this.card(one, soundText)));
    const again = names()[place];
    again?.focus();
    again?.setSelectionRange(caret, caret);
  }

  /** @param {TaughtClass} one
   * @param {string} soundText
   */
  card(one, soundText) {
    const card = element(CARD);
    const [name, files, sound, other] = ['.sg-class-name', '.sg-pick input', '.sg-add-sound', '.sg-other input']
      .map((selector) => card.querySelector(selector));
    name.value = one.name;
    name.placeholder = t('teach.name');
    name.addEventListener('input', () => { one.name = name.value; }); // cards may be drawn anew while it is typed
    name.addEventListener('change', () => {
      one.name = name.value.trim();
      this.acts.changed();
    });
    card.querySelector('.sg-class-remove').addEventListener('click', () => this.remove(one));
    files.addEventListener('change', () => this.acts.addFiles(one, [...files.files]));
    [sound.textContent, sound.hidden] = [soundText, !soundText];
    sound.addEventListener('click', () => this.acts.addSound(one));
    other.checked = one.other;
    other.addEventListener('change', () => {
      for (const each of this.list) each.other = each === one && other.checked;
      this.acts.changed();
    });
    const missing = Math.max(0, this.acts.least - one.examples.length);
    const count = t('teach.count', { count: formatNumber(one.examples.length) });
    card.querySelector('.sg-class-count').textContent = missing ? `${count} · ${t('teach.missing', { missing })}` : count;
    card.querySelector('.sg-class-files').append(...one.examples.map((example) => this.row(example)));
    return card;
  }

  /** @param {Example} example */
  row(example) {
    const row = element('<li><span></span><button type="button" data-aria="teach.drop" data-tip="teach.drop">×</button></li>');
    row.firstChild.textContent = row.firstChild.title = example.name;
    if (example.error) row.append(textElement('small', example.error, 'sg-error'));
    row.children[1].addEventListener('click', () => this.drop(example));
    return row;
  }
}
