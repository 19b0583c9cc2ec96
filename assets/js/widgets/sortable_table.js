// A table whose columns sort: by a click on a heading, or by Enter on it, once up and once down.

import { element } from '../lib/dom.js';
import { t } from '../lib/i18n.js';
import { deferWhilePressed } from './defer_while_pressed.js';

/**
 * Fill `table` with rows that sort. A column is { key, title, numeric, value(row), fill(cell, row) }, without a `value` it
 * does not sort; `act(row)` follows a click or Enter on a row, `name(row)` says what that does, nothing: this row has no act.
 */
export class SortableTable {
  constructor(table, columns, { by, act, name, caption }) {
    Object.assign(this, { table, columns, by, act, name, up: true, rows: [] });
    table.innerHTML = '<caption class="sg-unseen"></caption><thead><tr></tr></thead><tbody></tbody>';
    table.caption.textContent = caption;
    this.renew = deferWhilePressed(table.tBodies[0], () => this.draw());
    for (const column of columns) {
      const heading = element('<table><tr><th scope="col"><button type="button"><span></span><i aria-hidden="true"></i></button></th></tr></table>')
        .querySelector('th');
      heading.querySelector('span').textContent = column.title;
      heading.classList.toggle('sg-numeric', Boolean(column.numeric));
      heading.dataset.column = column.key;
      if (column.value) heading.firstChild.addEventListener('click', () => this.sortBy(column.key));
      else heading.replaceChildren(column.title);
      table.tHead.rows[0].append(heading);
    }
  }

  sortBy(key) {
    this.up = this.by === key ? !this.up : true;
    this.by = key;
    this.draw();
  }

  show(rows) {
    this.rows = rows;
    this.renew();
  }

  draw() {
    const { value } = this.columns.find((column) => column.key === this.by);
    const sign = this.up ? 1 : -1;
    const order = this.rows.map((row, index) => ({ row, index, key: value(row) })).sort((one, other) =>
      sign * compared(one.key, other.key) || one.index - other.index);
    this.columns.forEach(({ key, value: sorts }, at) => {
      if (!sorts) return;
      const heading = this.table.tHead.rows[0].cells[at];
      heading.setAttribute('aria-sort', key !== this.by ? 'none' : this.up ? 'ascending' : 'descending');
    });
    const focused = this.table.contains(document.activeElement) ? document.activeElement.closest('tbody tr') : null;
    const kept = focused && Number(focused.dataset.row);
    this.table.tBodies[0].replaceChildren(...order.map(({ row, index }) => this.line(row, index)));
    if (kept !== null) this.table.querySelector(`tbody tr[data-row="${kept}"] button`)?.focus();
  }

  line(row, index) {
    const line = document.createElement('tr');
    line.dataset.row = index;
    this.columns.forEach((column, at) => {
      const last = line.lastElementChild;
      if (last?.colSpan > 1) return; // it spans this one, too
      const cell = line.insertCell();
      cell.dataset.column = column.key;
      cell.classList.toggle('sg-numeric', Boolean(column.numeric));
      if (at || !this.act) column.fill(cell, row);
      else { // the first cell holds the row's button
        const button = element('<button type="button" class="sg-row"></button>');
        column.fill(button, row);
        if (this.name(row)) button.title = this.name(row);
        else button.disabled = true;
        cell.append(button);
      }
    });
    line.addEventListener('click', () => { if (this.act && this.name(row)) this.act(row); });
    return line;
  }
}

function compared(one, other) {
  if (typeof one === 'number' && typeof other === 'number') return one - other;
  return String(one).localeCompare(String(other), document.documentElement.lang, { numeric: true });
}

/** Buttons that save what `fetchFile(form)` resolves to: { name, text } or { name, base64 }. */
export function downloadButtons(host, forms, fetchFile, failed) {
  host.classList.add('sg-downloads');
  host.setAttribute('role', 'group');
  host.setAttribute('aria-label', t('timeline.download'));
  const label = element('<span></span>');
  label.textContent = t('timeline.download');
  host.replaceChildren(label, ...forms.map((form) => {
    const button = element('<button type="button" class="sg-chip"></button>');
    button.dataset.form = form;
    button.textContent = t(`timeline.form_${form}`);
    button.addEventListener('click', async () => {
      try {
        save(await fetchFile(form));
      } catch (refusal) {
        failed(refusal.message);
      }
    });
    return button;
  }));
}

function save({ name, text, base64 }) {
  const parts = base64 === undefined ? [text] : [Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))];
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob(parts));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
