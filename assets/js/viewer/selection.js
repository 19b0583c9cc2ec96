// Selection: drawn on every view, measured by the server; its values are shown under the plot, copied and saved.

import { MEAN } from '../core/channels.js';
import { request, latestOnly } from '../core/rpc.js';
import { ask, showMessage, state } from '../core/state.js';
import { openTab } from '../core/tabs.js';
import { element, fetchFile, find, onResize, saveFile, stem, toClipboard } from '../lib/dom.js';
import { formatHz, formatNumber, t, tForPointer } from '../lib/i18n.js';
import { nextSpeed, playSelection, toggleBand, toggleLoop, togglePitch } from '../player/playback.js';
import { selectionFields } from './selection_fields.js';
import { shortcut } from './shortcuts.js';

const GRIP = 7; // CSS pixels

const key = (label, run) => shortcut(label, 'sound', run);

export const PLAYBACK_KEYS = {
  p: key('playback.play_selection_hint', playSelection),
  l: key('playback.key_loop', toggleLoop),
  d: key('playback.key_speed', nextSpeed),
  t: key('playback.key_pitch', togglePitch),
  b: key('measurements.key_band', toggleBand),
};

export function selectionValues(viewer) {
  const panel = new ValuesPanel(viewer);
  let asked = ''; // the query whose values are shown or awaited
  const measure = latestOnly(async () => {
    const { selection } = state;
    if (!selection || !viewer.current()) return; // cleared while this waited
    try {
      const values = await request(viewer.server.measure, query(viewer));
      if (state.selection === selection) panel.show(values);
    } catch (error) {
      if (state.selection !== selection) return;
      asked = '';
      panel.write(error.message, null);
    }
  });
  const refresh = () => {
    if (!state.selection || !viewer.onScreen || !viewer.current()) return; // another view measures, or the data are on their way
    const wanted = JSON.stringify(query(viewer));
    if (wanted !== asked) measure();
    asked = wanted;
  };
  viewer.onState('selection', () => {
    asked = '';
    panel.show(null);
    refresh();
  });
  onResize(viewer.plot, refresh, viewer.signal); // the selection may have changed while the tab was closed
  return {
    ...selectionOverlay(viewer),
    loaded: refresh,
    keys: { ...PLAYBACK_KEYS, w: shortcut('measurements.what_hint', 'selection', askAboutSelection) },
  };
}

/** Request for the selection, with the parameters of the view's data. */
function query(viewer) {
  const { sound, config } = viewer.data.request;
  return { sound, config, ...state.selection };
}

/** Draw the selection, on a view without its values, too. */
export function selectionOverlay(viewer) {
  viewer.onState('selection', () => viewer.drawOverlay());
  return { overlay: (context) => { if (state.selection) drawSelection(context, viewer.selectionBox()); } };
}

function drawSelection(context, { x0, x1, y0, y1, banded }) {
  context.fillStyle = 'rgb(255 209 102 / 16%)';
  context.fillRect(x0, y0, x1 - x0, y1 - y0);
  for (const [colour, width] of [['rgb(0 0 0 / 70%)', 3], ['#ffd166', 1.25]]) { // visible on dark and on bright images
    context.strokeStyle = colour;
    context.lineWidth = width;
    context.strokeRect(x0, y0 - (banded ? 0 : 4), x1 - x0, y1 - y0 + (banded ? 0 : 8)); // all frequencies: two lines
  }
  const [x, y] = [(x0 + x1) / 2, (y0 + y1) / 2];
  if (x1 - x0 < 4 * GRIP || y1 - y0 < 4 * GRIP) return;
  for (const [gx, gy] of [[x0, y], [x1, y], ...(banded ? [[x, y0], [x, y1]] : [])]) {
    context.fillStyle = 'rgb(0 0 0 / 70%)';
    context.fillRect(gx - GRIP / 2 - 1, gy - GRIP / 2 - 1, GRIP + 2, GRIP + 2);
    context.fillStyle = '#ffd166';
    context.fillRect(gx - GRIP / 2, gy - GRIP / 2, GRIP, GRIP);
  }
}

const seconds = (value) => `${formatNumber(value, 3)} ${t('page.unit_s')}`;
const decibels = (value, unit = t('page.unit_db')) => (value === null ? t('page.silence') : `${formatNumber(value, 2)} ${unit}`);
const dbfs = (value) => decibels(value, 'dBFS');
const band = (low, high) => (low === null ? t('measurements.all') : `${formatNumber(low)} – ${formatHz(high)}`);
const amplitude = (peak, db) => (db === null ? '0' : `${formatNumber(peak, 3)} · ${dbfs(db)}`);

/** @type {[string, (selection: any, values: any) => string][]} message key and text, in the order of the panel */
const VALUES = [
  ['measurements.start', ({ start }) => seconds(start)],
  ['measurements.end', ({ end }) => seconds(end)],
  ['measurements.duration', ({ start, end }) => seconds(end - start)],
  ['measurements.band', (selection) => band(selection.low_hz, selection.high_hz)],
  ['measurements.mean', (_, values) => decibels(values.mean_db)],
  ['measurements.peak', (_, values) => decibels(values.peak_db)],
  ['measurements.peak_hz', (_, values) => (values.peak_hz === null ? '–' : formatHz(values.peak_hz, 1))],
  ['measurements.peak_s', (_, values) => (values.peak_s === null ? '–' : seconds(values.peak_s))],
  ['measurements.rms', (_, values) => dbfs(values.rms_dbfs)],
  ['measurements.amplitude', (_, values) => amplitude(values.amplitude, values.amplitude_dbfs)],
];
const LOCAL_VALUES = 4; // the first ones need no server
/** Columns of the table that is copied. */
const COLUMNS = [
  'start_s', 'end_s', 'duration_s', 'low_hz', 'high_hz', 'mean_db', 'peak_db', 'peak_hz', 'peak_s', 'rms_dbfs', 'amplitude',
];

/** The values of the selection under a viewer's plot. */
class ValuesPanel {
  values = null; // the server's
  complaint = ''; // about what was typed, until another selection

  constructor(viewer) {
    this.viewer = viewer;
    this.root = element(`<section class="sg-selection"><header><h2 data-t="measurements.selection"></h2><p role="status"></p>
      <div class="sg-group" role="group" data-aria="measurements.selection"></div></header><dl></dl></section>`);
    this.note = find(this.root, 'p');
    const rows = VALUES.map(([name]) => element(`<div data-tip="${name}_hint"><dt data-t="${name}"></dt><dd>–</dd></div>`));
    this.cells = rows.map((row) => row.lastChild);
    find(this.root, 'dl').append(...rows);
    this.buttons = [
      this.button('measurements.copy', () => this.copy(this.asText())),
      this.button('measurements.csv', () => this.copy(asTable(this.values))),
      this.button('measurements.what', askAboutSelection),
      this.button('measurements.save', (button) => save(viewer, button)),
    ];
    find(this.root, '.sg-group').append(...this.buttons);
    find(this.root, 'h2').after(selectionFields(viewer, (text) => this.complain(text)));
    viewer.onState('selection', () => { this.complaint = ''; });
    this.show(null);
    viewer.under.append(this.root);
  }

  button(name, press) {
    const action = name.split('.').pop();
    const button = element(`<button type="button" class="sg-tool" data-do="${action}" data-t="${name}"
      data-tip="${name}_hint"></button>`);
    button.addEventListener('click', () => press(button));
    return button;
  }

  /** Show the server's values, or the selection alone. */
  show(values) {
    const { measured, n_frames: frames } = values ?? {};
    let text = t('measurements.meaning');
    if (!state.selection) text = tForPointer('measurements.none');
    else if (measured < frames) {
      text = t('measurements.sampled', { measured: formatNumber(measured), frames: formatNumber(frames) });
    }
    this.write(text, state.selection && values);
  }

  /** Say why typed values are no selection; the values of the present one, which may still come, leave it standing. */
  complain(text) {
    this.complaint = text;
    this.note.textContent = text;
  }

  write(text, values) {
    this.values = values;
    this.note.textContent = this.complaint || text;
    this.root.toggleAttribute('data-empty', !state.selection);
    this.buttons.forEach((button, i) => { button.disabled = i < 2 ? !values : !state.selection; });
    this.cells.forEach((cell, i) => {
      const known = state.selection && (i < LOCAL_VALUES || values);
      cell.textContent = known ? VALUES[i][1](state.selection, values) : '–';
    });
  }

  asText() {
    return VALUES.map(([name], i) => `${t(name)}: ${this.cells[i].textContent}`).join('\n');
  }

  async copy(text) {
    this.note.textContent = t(await toClipboard(text) ? 'measurements.copied' : 'measurements.not_copied');
  }
}

/** Classify, explain and compare the selection, on the tab for it. */
function askAboutSelection() {
  if (!state.selection) return;
  ask(state.selection);
  openTab('classify');
}

function asTable(values) {
  const { start, end } = state.selection;
  const { channel } = state.sound;
  const row = { ...values, ...state.selection, channel, start_s: start, end_s: end, duration_s: end - start };
  const columns = [...(channel === MEAN ? [] : ['channel']), ...COLUMNS];
  const name = `"${state.sound.name.replaceAll('"', '""')}"`;
  return `file,${columns.join(',')}\n${[name, ...columns.map((column) => row[column] ?? '')].join(',')}\n`;
}

/** Save the selected interval of the file as a WAV. */
export async function saveSelection(viewer) {
  const { id, name, channel } = state.sound;
  const { start, end } = state.selection;
  const { url } = await request(viewer.server.save_selection, { sound: id, ...state.selection });
  saveFile([await fetchFile(url)], `${stem(name)}${channel === MEAN ? '' : ` ${channel.replace(':', ' ')}`} ${start.toFixed(3)}-${end.toFixed(3)} s.wav`);
}

async function save(viewer, button) {
  button.disabled = true;
  try {
    await saveSelection(viewer);
  } catch (error) {
    showMessage(error.message);
  } finally {
    button.disabled = !state.selection;
  }
}
