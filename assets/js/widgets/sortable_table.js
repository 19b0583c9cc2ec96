// Sortable table, and buttons that download it.

import { decodeBase64, element, saveFile, textElement } from '../lib/dom.js';
import { t } from '../lib/i18n.js';
import { deferWhilePressed } from './defer_while_pressed.js';

/** @typedef {object} Column
 * @property {string} key
 * @property {string} title
 * @property {boolean} [numeric]
 * @property {(row: any) => string | number} [value] to sort by; without it the column does not sort
 * @property {(cell: HTMLElement, row: any) => void} fill
 *
 * @typedef {object} Options
 * @property {string} by key of the first sort order
 * @property {string} caption
 * @property {(row: any) => void} act follows a click or Enter on a row
 * @property {(row: any) => string} name of the act, or '' for a row without one
 * @property {AbortSignal} signal
 */

/** A table whose columns sort by a click or Enter on a heading. */
export class SortableTable {
  up = true;
  rows = [];

  /**
   * @param {HTMLTableElement} table the element to fill
   * @param {Column[]} columns
   * @param {Options} options
   */
  constructor(table, columns, { by, act, name, caption, signal }) {
    this.table = table;
    this.columns = columns;
    this.by = by;
    this.act = act;
    this.name = name;
    table.innerHTML = '<caption class="sg-visually-hidden"></caption><thead><tr></tr></thead><tbody></tbody>';
    table.caption.textContent = caption;
    this.show = deferWhilePressed(table.tBodies[0], () => this.draw(), signal);
    for (const column of columns) {
      const heading = document.createElement('th');
      heading.scope = 'col';
      heading.classList.toggle('sg-numeric', Boolean(column.numeric));
      heading.dataset.column = column.key;
      if (column.value) {
        const button = element('<button type="button"><span></span><i aria-hidden="true"></i></button>');
        button.firstChild.textContent = column.title;
        button.addEventListener('click', () => this.sortBy(column.key));
        heading.append(button);
      } else heading.textContent = column.title;
      table.tHead.rows[0].append(heading);
    }
  }

  sortBy(key) {
    this.up = this.by === key ? !this.up : true;
    this.by = key;
    this.draw();
  }

  setRows(rows) {
    this.rows = rows;
    this.show();
  }

  draw() {
    const { value } = this.columns.find((column) => column.key === this.by);
    const sign = this.up ? 1 : -1;
    const order = this.rows.map((row, index) => ({ row, index, key: value(row) })).sort((one, other) =>
      sign * compare(one.key, other.key) || one.index - other.index);
    const [headings] = this.table.tHead.rows;
    this.columns.forEach((column, i) => {
      if (column.value) headings.cells[i].ariaSort = column.key !== this.by ? 'none' : this.up ? 'ascending' : 'descending';
    });
    const body = this.table.tBodies[0];
    const focused = [...body.rows].findIndex((line) => line.contains(document.activeElement));
    const kept = body.rows[focused]?.dataset.row;
    body.replaceChildren(...order.map(({ row, index }) => this.line(row, index)));
    if (kept) /** @type {HTMLElement} */ (body.querySelector(`[data-row="${kept}"] button`))?.focus();
  }

  line(row, index) {
    const line = document.createElement('tr');
    line.dataset.row = index;
    const name = this.name(row);
    for (const column of this.columns) {
      const last = /** @type {HTMLTableCellElement | null} */ (line.lastElementChild);
      if (last?.colSpan > 1) break; // it spans the rest
      const cell = line.insertCell();
      cell.dataset.column = column.key;
      cell.classList.toggle('sg-numeric', Boolean(column.numeric));
      if (last) column.fill(cell, row);
      else { // the first cell holds the row's button
        const button = element('<button type="button" class="sg-row"></button>');
        column.fill(button, row);
        button.title = name;
        button.disabled = !name;
        cell.append(button);
      }
    }
    if (name) line.addEventListener('click', () => this.act(row));
    return line;
  }
}

function compare(one, other) {
  if (typeof one === 'number' && typeof other === 'number') return one - other;
  return String(one).localeCompare(String(other), document.documentElement.lang, { numeric: true });
}

/** Fill `host` with buttons that save files.
 * @param {HTMLElement} host
 * @param {string[]} formats
 * @param {(format: string) => Promise<{name: string, text?: string, base64?: string}>} fetchFile
 * @param {(message: string) => void} failed
 */
export function downloadButtons(host, formats, fetchFile, failed) {
  host.classList.add('sg-downloads');
  host.setAttribute('role', 'group');
  host.setAttribute('aria-label', t('timeline.download'));
  host.replaceChildren(textElement('span', t('timeline.download')), ...formats.map((format) => {
    const button = element(`<button type="button" class="sg-chip" data-form="${format}" data-t="timeline.form_${format}"></button>`);
    button.addEventListener('click', async () => {
      try {
        const { name, text, base64 } = await fetchFile(format);
        saveFile([base64 === undefined ? text : decodeBase64(base64)], name);
      } catch (error) {
        failed(error.message);
      }
    });
    return button;
  }));
}
