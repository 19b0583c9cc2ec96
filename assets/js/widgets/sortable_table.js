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
 * @property {number} [rows] of a page; by default all
 * @property {(row: any) => boolean} [mark] whether a row is the chosen one
 */

/** A table whose columns sort by a click or Enter on a heading. */
export class SortableTable {
  up = true;
  rows = /** @type {readonly any[]} */ ([]);
  first = 0; // row of the page, in their order
  shownRows = /** @type {any[]} */ ([]);
  drawnRows = /** @type {readonly any[]} */ ([]);
  choice = /** @type {HTMLSelectElement | null} */ (null); // of the order
  turned = (/** @type {number} */ _first, /** @type {number} */ _last, /** @type {number} */ _count) => {};

  /**
   * @param {HTMLTableElement} table the element to fill
   * @param {Column[]} columns
   * @param {Options} options
   */
  constructor(table, columns, options) {
    this.table = table;
    this.options = options;
    this.by = options.by;
    table.innerHTML = '<caption class="sg-visually-hidden"></caption><thead><tr></tr></thead><tbody></tbody>';
    table.caption.textContent = options.caption;
    this.show = deferWhilePressed(table.tBodies[0], () => this.draw(), options.signal);
    this.setColumns(columns);
  }

  /** Use other columns from the next rows on. @param {Column[]} columns */
  setColumns(columns) {
    /** @type {Column[]} */
    this.columns = columns;
    if (!columns.some(({ key }) => key === this.by)) this.by = this.options.by;
    this.table.tHead.rows[0].replaceChildren(...columns.map((column) => this.heading(column)));
    if (this.choice) this.fillOrders();
  }

  /** @param {Column} column */
  heading({ key, title, numeric, value }) {
    const heading = element(`<th scope="col" data-column="${key}" class="${numeric ? 'sg-numeric' : ''}">${title}</th>`);
    if (!value) return heading;
    const button = element(`<button type="button">${title}<i aria-hidden="true"></i></button>`);
    button.addEventListener('click', () => this.sortBy(key));
    heading.replaceChildren(button);
    return heading;
  }

  sortBy(key) {
    this.up = this.by === key ? !this.up : true;
    this.by = key;
    this.first = 0;
    this.draw();
  }

  /** Return a list of the orders, for layouts without headings. @param {string} label */
  orders(label) {
    const place = element('<div class="sg-order"><span></span> <select></select></div>');
    place.firstChild.textContent = label;
    this.choice = place.querySelector('select');
    this.choice.ariaLabel = label;
    this.fillOrders();
    this.choice.addEventListener('change', () => {
      const [by, direction] = this.choice.value.split(' ');
      Object.assign(this, { by, up: direction === 'up', first: 0 });
      this.draw();
    });
    return place;
  }

  fillOrders() {
    const sorting = this.columns.filter(({ value }) => value);
    this.choice.replaceChildren(...sorting.flatMap(({ key, title }) => (
      [new Option(`${title} ↑`, `${key} up`), new Option(`${title} ↓`, `${key} down`)])));
  }

  setRows(rows) {
    this.rows = rows;
    this.show();
  }

  /** Show the page before (-1) or after (1) this one. */
  turn(by) {
    this.first += by * this.options.rows;
    this.draw();
  }

  /** The row of an element inside its line. */
  rowOf(node) {
    return this.rows[node.closest('[data-row]')?.dataset.row];
  }

  draw() {
    const { value } = this.columns.find((column) => column.key === this.by);
    const sign = this.up ? 1 : -1;
    const order = this.rows.map((row, index) => ({ row, index, key: value(row) }))
      .sort((one, other) => sign * compare(one.key, other.key)); // stable
    const { rows: size = order.length } = this.options;
    this.first = Math.max(0, Math.min(this.first, size * Math.ceil(order.length / size) - size || 0));
    const page = order.slice(this.first, this.first + size);
    const [headings] = this.table.tHead.rows;
    this.columns.forEach((column, i) => {
      if (column.value) headings.cells[i].ariaSort = column.key !== this.by ? 'none' : this.up ? 'ascending' : 'descending';
    });
    if (this.choice) this.choice.value = `${this.by} ${this.up ? 'up' : 'down'}`;
    const body = this.table.tBodies[0];
    const before = [...body.rows].find((line) => line.contains(document.activeElement))?.dataset.row;
    const moved = before ? this.rows.indexOf(this.drawnRows[Number(before)]) : -1;
    const focused = moved < 0 ? before : String(moved); // the rows may be others
    this.drawnRows = this.rows;
    body.replaceChildren(...page.map(({ row, index }) => this.line(row, index)));
    if (focused) /** @type {HTMLElement} */ (body.querySelector(`[data-row="${focused}"] button`))?.focus();
    this.shownRows = page.map(({ row }) => row);
    this.turned(this.first, this.first + page.length, order.length);
  }

  line(row, index) {
    const line = document.createElement('tr');
    line.dataset.row = index;
    const { name, act, mark } = this.options;
    if (mark?.(row)) line.setAttribute('aria-current', 'true');
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
        button.title = name(row);
        button.disabled = !name(row);
        cell.append(button);
      }
    }
    if (name(row)) line.addEventListener('click', () => act(row));
    return line;
  }
}

let collator = /** @type {Intl.Collator | null} */ (null); // localeCompare would make one for each pair

function compare(one, other) {
  if (typeof one === 'number' && typeof other === 'number') return one - other;
  collator ??= new Intl.Collator(document.documentElement.lang, { numeric: true });
  return collator.compare(String(one), String(other));
}

/** Fill `host` with buttons that save files.
 * @param {HTMLElement} host
 * @param {string[]} formats
 * @param {(format: string) => Promise<{name: string, text?: string, base64?: string, blob?: Blob}>} fetchFile
 * @param {(message: string) => void} failed
 * @param {string} [heading] message before them
 */
export function downloadButtons(host, formats, fetchFile, failed, heading = 'timeline.download') {
  host.classList.add('sg-downloads');
  host.setAttribute('role', 'group');
  host.setAttribute('aria-label', t(heading));
  host.replaceChildren(textElement('span', t(heading)), ...formats.map((format) => {
    const button = element(`<button type="button" class="sg-chip" data-form="${format}"
      data-t="timeline.form_${format}"></button>`);
    button.addEventListener('click', async () => {
      try {
        const { name, text, base64, blob } = await fetchFile(format);
        saveFile([blob ?? (base64 === undefined ? text : decodeBase64(base64))], name);
      } catch (error) {
        failed(error.message);
      }
    });
    return button;
  }));
}
