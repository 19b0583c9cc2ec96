// Filter of the listed files: how many there are of each class or state, of which one can be chosen, and a search by text.

import { labelName, paintClass } from '../../core/detections.js';
import { element, find, textElement } from '../../lib/dom.js';
import { formatNumber, t } from '../../lib/i18n.js';

const LABELLED = 'labelled';
const LAST = ['unsure', 'unknown', 'silence', 'nothing', 'refused', 'pending', LABELLED]; // after the classes, in this order
const SKELETON = `<div class="sg-filter" hidden><input type="search" data-aria="batch.search">
  <div class="sg-kinds" role="group" data-aria="batch.kinds"></div><p class="sg-small" role="status"></p></div>`;

/** The class of a listed file, or its state where it has none. */
function kindOf({ state, overall }) {
  if (state === 'refused') return 'refused';
  return state === 'done' ? overall?.[0] ?? 'nothing' : 'pending';
}

export class FileFilter {
  /** @type {string | null} */
  kind = null;
  text = '';
  drawn = '';

  /**
   * @param {HTMLElement} place is replaced
   * @param {(row: any) => string} textOf what is searched
   * @param {(row: any) => boolean} isLabelled
   * @param {() => void} changed
   */
  constructor(place, textOf, isLabelled, changed) {
    this.textOf = textOf;
    this.isLabelled = isLabelled;
    this.root = element(SKELETON);
    const input = /** @type {HTMLInputElement} */ (find(this.root, 'input'));
    input.placeholder = t('batch.search');
    input.addEventListener('input', () => {
      this.text = input.value.trim().toLowerCase();
      changed();
    });
    find(this.root, '.sg-kinds').addEventListener('click', ({ target }) => {
      const { kind } = /** @type {HTMLElement} */ (target).closest('button')?.dataset ?? {};
      if (!kind) return;
      this.kind = this.kind === kind ? null : kind;
      changed();
    });
    place.replaceWith(this.root);
  }

  /** Return the rows to list, and show how many there are of each kind. */
  apply(rows) {
    if (rows.length < 2) { // the filter is hidden
      const input = /** @type {HTMLInputElement} */ (find(this.root, 'input'));
      [this.kind, this.text, input.value] = [null, '', ''];
    }
    const counts = new Map();
    const count = (kind) => counts.set(kind, (counts.get(kind) ?? 0) + 1);
    for (const row of rows) {
      count(kindOf(row));
      if (this.isLabelled(row)) count(LABELLED);
    }
    if (this.kind && !counts.has(this.kind)) this.kind = null;
    this.drawKinds(counts, rows.length);
    const found = rows.filter((row) => this.matches(row));
    this.root.hidden = rows.length < 2;
    find(this.root, 'p').textContent = found.length === rows.length ? ''
      : t('batch.shown', { shown: formatNumber(found.length), count: formatNumber(rows.length) });
    return found;
  }

  matches(row) {
    const ofKind = !this.kind || (this.kind === LABELLED ? this.isLabelled(row) : kindOf(row) === this.kind);
    return ofKind && (!this.text || this.textOf(row).toLowerCase().includes(this.text));
  }

  drawKinds(counts, total) {
    const rank = (kind) => LAST.indexOf(kind) + 1;
    const sorted = [...counts].sort(([one, a], [other, b]) => rank(one) - rank(other) || b - a || one.localeCompare(other));
    const drawn = JSON.stringify([sorted, this.kind]);
    if (drawn === this.drawn) return; // a button that has the focus keeps it
    this.drawn = drawn;
    const host = find(this.root, '.sg-kinds');
    const focused = /** @type {HTMLElement} */ (host.querySelector(':focus'))?.dataset.kind;
    host.replaceChildren(...sorted.map(([kind, number]) => {
      const button = element(`<button type="button" class="sg-chip"></button>`);
      button.dataset.kind = kind;
      button.setAttribute('aria-pressed', String(kind === this.kind));
      button.style.setProperty('--sg-share', `${(100 * number) / total}%`);
      if (!rank(kind)) {
        const dot = element('<b class="sg-dot"></b>');
        paintClass(dot, kind);
        button.append(dot);
      }
      button.append(`${kindName(kind)} `, textElement('small', formatNumber(number)));
      return button;
    }));
    if (focused) /** @type {HTMLElement} */ (host.querySelector(`[data-kind="${CSS.escape(focused)}"]`))?.focus();
  }
}

const kindName = (kind) => (['nothing', 'refused', 'pending', LABELLED].includes(kind) ? t(`batch.kind_${kind}`) : labelName(kind));
