// The labels as a table under a plot, with their measurements, and as files.

import { request } from '../../core/rpc.js';
import { showMessage, state } from '../../core/state.js';
import { MOST_LABELS, addLabels, labels, removeLabel } from '../../core/labels.js';
import { labelsSaved } from '../../core/label_store.js';
import { nameColour, paintClass } from '../../core/detections.js';
import { element, fetchFile, find, onResize } from '../../lib/dom.js';
import { formatHz, formatNumber, formatPercent, formatTime, t, tForPointer } from '../../lib/i18n.js';
import { SortableTable, downloadButtons } from '../../widgets/sortable_table.js';
import { nameSelection, playLabel, renameLabel, snapSelection } from './label_actions.js';
import { Measured } from './measured.js';
import { shownName } from './names.js';

const ROWS = 50; // a page of the table
const MOST_WAIT_MS = 10_000; // for the measurements of a file
const MOST_BYTES = 12e6; // of a label file, as JSON in a request
const FORMS = ['audacity', 'raven', 'csv', 'json', 'zip'];
const MEASURED_FORMS = ['csv', 'json'];
const SKELETON = `<section class="sg-labels"><header><h2 data-t="labels.title"></h2><p role="status"></p>
  <div class="sg-group" role="group" data-aria="labels.title"></div></header>
  <div class="sg-scroll"><table class="sg-label-table"></table></div>
  <div class="sg-pages" hidden></div><div class="sg-label-files"></div></section>`;

export function labelList(viewer) {
  const list = new LabelList(viewer);
  return { loaded: () => list.loaded() };
}

class LabelList {
  constructor(viewer) {
    this.viewer = viewer;
    this.root = element(SKELETON);
    this.note = find(this.root, 'header p');
    this.measured = new Measured(viewer, () => { if (viewer.onScreen) this.table.show(); });
    this.table = this.makeTable();
    this.name = this.button('name_it', () => nameSelection(viewer));
    this.snap = this.button('snap', () => snapSelection(viewer));
    const input = element('<input type="file" accept=".txt,.csv,.tsv,.json,text/*" hidden>');
    input.addEventListener('change', async () => {
      const [file] = input.files;
      input.value = '';
      if (file) await this.read(file);
    });
    find(this.root, '.sg-group').append(this.name, this.snap, this.button('open', () => input.click()), input);
    this.pages();
    downloadButtons(find(this.root, '.sg-label-files'), FORMS, (form) => this.file(form), showMessage);
    viewer.under.append(this.root);
    viewer.onState('labels label_chosen selection sound', () => this.draw());
    onResize(viewer.plot, () => this.draw(), viewer.signal); // the labels may have changed while the tab was closed
    this.draw();
  }

  button(action, press) {
    const button = element(`<button type="button" class="sg-tool" data-do="${action}" data-t="labels.do_${action}"
      data-tip="labels.do_${action}_hint"></button>`);
    button.addEventListener('click', press);
    return button;
  }

  /** Buttons that turn the pages of the table. */
  pages() {
    const box = find(this.root, '.sg-pages');
    const turn = (by) => this.table.turn(by);
    box.append(this.button('previous_page', () => turn(-1)), element('<output></output>'), this.button('next_page', () => turn(1)));
    this.table.turned = (first, last, count) => {
      box.hidden = count <= ROWS;
      find(box, 'output').textContent = t('labels.rows', { first: formatNumber(first + 1), last: formatNumber(last), count: formatNumber(count) });
      [box.firstChild.disabled, box.lastChild.disabled] = [first === 0, last >= count];
      this.measured.want(this.table.shownRows);
    };
  }

  makeTable() {
    const { viewer } = this;
    const column = (key, value, text) => ({
      key, title: t(`labels.column_${key}`), numeric: true, value: (row) => value(row) ?? -Infinity,
      fill: (cell, row) => { cell.textContent = value(row) === null || value(row) === undefined ? '–' : text(value(row)); },
    });
    const figure = (key, name, unit, digits) => column(key, (row) => this.measured.of(row)?.[name], (value) => `${formatNumber(value, digits)} ${unit}`);
    const table = new SortableTable(find(this.root, 'table'), [
      { key: 'name', title: t('labels.column_name'), value: (row) => shownName(row.name), fill: fillName },
      {
        key: 'actions', title: '',
        fill: (cell, row) => cell.append(
          this.act('rename', '✎', row, () => renameLabel(viewer, row)), this.act('delete', '×', row, () => removeLabel(row.id)),
        ),
      },
      column('start', (row) => row.start, (time) => formatTime(time, 3)),
      column('end', (row) => row.end, (time) => formatTime(time, 3)),
      column('duration', (row) => row.end - row.start, (time) => `${formatNumber(time, 3)} ${t('page.unit_s')}`),
      {
        key: 'band', title: t('labels.column_band'), numeric: true, value: (row) => row.low_hz ?? -1,
        fill: (cell, row) => { cell.textContent = row.low_hz === null ? t('measurements.all') : bandText(row); },
      },
      column('probability', (row) => row.probability, (share) => formatPercent(share)),
      figure('mean', 'mean_db', t('page.unit_db'), 1), figure('peak', 'peak_db', t('page.unit_db'), 1),
      figure('peak_hz', 'peak_hz', t('page.unit_hz'), 0), figure('rms', 'rms_dbfs', 'dBFS', 1),
    ], {
      by: 'start', caption: t('labels.title'), act: playLabel, signal: viewer.signal, rows: ROWS,
      name: (row) => t('labels.play', { name: shownName(row.name) }), mark: (row) => row.id === labels.chosen,
    });
    table.table.addEventListener('keydown', (event) => {
      const target = /** @type {HTMLElement} */ (event.target);
      const row = table.rowOf(target);
      if (!row || target.closest('[data-do]')) return;
      if (event.key === 'Delete') removeLabel(row.id);
      else if (event.key === 'F2') renameLabel(viewer, row);
      else return;
      event.preventDefault();
      event.stopPropagation();
    });
    return table;
  }

  act(action, sign, row, press) {
    const button = element(`<button type="button" class="sg-tool" data-do="${action}">${sign}</button>`);
    button.title = t(`labels.row_${action}`, { name: shownName(row.name) });
    button.setAttribute('aria-label', button.title);
    button.addEventListener('click', (event) => {
      event.stopPropagation(); // the row would be played
      press();
    });
    return button;
  }

  draw() {
    if (!this.viewer.onScreen) return;
    const { list } = labels.now;
    this.root.toggleAttribute('data-empty', !list.length);
    this.note.textContent = list.length ? t('labels.count', { count: formatNumber(list.length) }) : tForPointer('labels.none');
    this.snap.hidden = !state.selection;
    this.name.hidden = !state.selection && labels.chosen === null; // a point has no selection
    this.name.textContent = t(labels.chosen === null ? 'labels.do_name_it' : 'labels.do_rename');
    if (this.table.rows !== list || this.chosen !== labels.chosen) this.table.setRows(list);
    else this.measured.want(this.table.shownRows); // they may be left from before the tab was closed
    this.chosen = labels.chosen;
  }

  /** Measure the labels for the view's new data: they may have been there before, as after a reload. */
  loaded() {
    const { sound, config } = this.viewer.data.request;
    const about = JSON.stringify([sound, config]);
    if (about === this.about) return;
    this.about = about;
    this.table.show();
  }

  /** Add the labels of a file to those that are there. */
  async read(file) {
    const { sound } = state;
    if (file.size > MOST_BYTES) return showMessage(t('labels.too_big', { name: file.name, megabytes: formatNumber(MOST_BYTES / 1e6) }));
    try {
      const text = await file.text();
      const reply = await request(this.viewer.server.read_labels, { sound: sound.id, name: file.name, text });
      if (this.viewer.signal.aborted || state.sound !== sound) return;
      const key = ({ name, start, end, low_hz: low }) => JSON.stringify([name, start.toFixed(3), end.toFixed(3), low?.toFixed(1)]); // as files round
      const known = new Set(labels.now.list.map(key));
      const read = reply.labels.map(([name, start, end, low_hz, high_hz, probability]) => ({ name, start, end, low_hz, high_hz, probability }))
        .filter((label) => !known.has(key(label)));
      const free = Math.max(0, MOST_LABELS - labels.now.list.length);
      if (read.length) addLabels(read.slice(0, free));
      showMessage(readText(file.name, Math.min(free, read.length), reply.labels.length - read.length, reply), 'note');
    } catch (error) {
      if (!this.viewer.signal.aborted) showMessage(error.message);
    }
  }

  /** The labels as a file, in order of time, with their measurements. */
  async file(form) {
    const sorted = [...labels.now.list].sort((a, b) => a.start - b.start || a.end - b.end);
    const { sound } = state;
    if (MEASURED_FORMS.includes(form)) {
      await this.measured.measure(sorted, performance.now() + MOST_WAIT_MS);
      const left = sorted.filter((label) => !this.measured.has(label)).length;
      if (left) showMessage(t('labels.unmeasured', { count: formatNumber(left) }), 'note');
    }
    const rows = sorted.map((label) => {
      const { mean_db = null, peak_db = null, peak_hz = null, rms_dbfs = null } = this.measured.of(label) ?? {};
      return [label.name, label.start, label.end, label.low_hz, label.high_hz, label.probability, mean_db, peak_db, peak_hz, rms_dbfs];
    });
    const query = { sound: sound.id, labels: JSON.stringify(rows) };
    const { server } = this.viewer;
    const reply = await request(form === 'zip' ? server.label_excerpts : server.label_file, { ...query, form });
    labelsSaved();
    return form === 'zip' ? { name: reply.name, blob: await fetchFile(reply.url) } : reply;
  }
}

const bandText = ({ low_hz: low, high_hz: high }) => `${formatNumber(low)} – ${formatHz(high)}`;

function fillName(cell, row) {
  const dot = element('<b class="sg-dot"></b>');
  dot.style.setProperty('--sg-colour', nameColour(row.name));
  paintClass(dot, row.name);
  cell.append(dot, shownName(row.name));
}

/** What was read from a file, and what was left out of it. */
function readText(name, count, known, { problems, n_problems: all }) {
  const lines = problems.slice(0, 5).map(([line, field, value, reason]) => (
    t('labels.problem', { line: formatNumber(line), field, value, reason: t(`labels.problem_${reason}`) })));
  const more = all > lines.length ? [t('labels.problems_more', { count: formatNumber(all - lines.length) })] : [];
  return [t('labels.read', { name, count: formatNumber(count), known: formatNumber(known) }), ...lines, ...more].join(' ');
}
