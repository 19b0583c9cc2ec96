// The selection: drawn on every view, measured by the server, its figures under the plot to read, copy and save.

import { request, latestOnly } from '../core/rpc.js';
import { events, showMessage, state } from '../core/state.js';
import { element, fileUrl } from '../lib/dom.js';
import { tForPointer, formatNumber, t } from '../lib/i18n.js';
import { nextSpeed, playSelection, toggleBand, toggleLoop, togglePitch } from '../player/playback.js';
import { extend } from './viewer.js';

const GRIP = 7; // CSS pixels: what can be dragged is seen

extend((viewer) => {
  const panel = figuresPanel(viewer);
  viewer.under.append(panel.root);
  let known = '';
  const measure = latestOnly(async () => {
    const { selection } = state;
    if (!selection || !viewer.current()) return; // let go while this waited
    const answered = (then) => (answer) => { if (state.selection === selection) then(answer); }; // not another's figures
    await request(viewer.server.measure, asked(viewer)).then(answered(panel.show), answered((refusal) => {
      known = '';
      panel.refuse(refusal);
    }));
  });
  const refresh = () => {
    if (!viewer.visible() || !viewer.current()) return; // another view measures, or its picture is still to come
    const key = state.selection && JSON.stringify(asked(viewer));
    if (key && key !== known) measure();
    known = key;
  };
  events.addEventListener('selection', () => {
    panel.show(null);
    viewer.drawOverlay();
    refresh();
  });
  new ResizeObserver(refresh).observe(viewer.plot); // a tab that is opened again finds another selection
  const sound = (name, run) => ({ word: name, group: 'sound', run });
  return {
    overlay: (context) => drawSelection(context, viewer),
    loaded: refresh,
    keys: {
      p: sound('playback.play_selection_hint', playSelection),
      l: sound('playback.key_loop', toggleLoop),
      d: sound('playback.key_speed', nextSpeed),
      t: sound('playback.key_pitch', togglePitch),
      b: sound('measurements.key_band', toggleBand),
    },
  };
});

/** What is asked of the server for the selection, under the parameters of the picture at hand. */
function asked(viewer) {
  const { sound, config } = viewer.data.request;
  return { sound, config, ...state.selection };
}

function drawSelection(context, viewer) {
  if (!state.selection) return;
  const { start, end, low_hz: low, high_hz: high } = state.selection;
  const { top, height } = viewer.area();
  const banded = viewer.pitched && low !== null;
  const [x0, x1] = [viewer.xOf(start), viewer.xOf(end)];
  const [y0, y1] = banded ? [viewer.yOf(high), viewer.yOf(low)] : [top, top + height];
  context.fillStyle = 'rgb(255 209 102 / 16%)';
  context.fillRect(x0, y0, x1 - x0, y1 - y0);
  for (const [colour, width] of [['rgb(0 0 0 / 70%)', 3], ['#ffd166', 1.25]]) { // seen on dark and on bright pictures
    context.strokeStyle = colour;
    context.lineWidth = width;
    context.strokeRect(x0, y0 - (banded ? 0 : 4), x1 - x0, y1 - y0 + (banded ? 0 : 8)); // without a band: two lines
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

/** The figures in the order in which they are read: [word, text from the selection and its figures]. */
const FIGURES = [
  ['measurements.start', ({ start }) => seconds(start)],
  ['measurements.end', ({ end }) => seconds(end)],
  ['measurements.duration', ({ start, end }) => seconds(end - start)],
  ['measurements.band', ({ low_hz: low, high_hz: high }) => (low === null ? t('measurements.all') : `${formatNumber(low)} – ${formatNumber(high)} ${t('page.unit_hz')}`)],
  ['measurements.mean', (_, { mean_db: mean }) => decibels(mean)],
  ['measurements.peak', (_, { peak_db: peak }) => decibels(peak)],
  ['measurements.peak_hz', (_, { peak_hz: hz }) => (hz === null ? '–' : `${formatNumber(hz, 1)} ${t('page.unit_hz')}`)],
  ['measurements.peak_s', (_, { peak_s: time }) => (time === null ? '–' : seconds(time))],
  ['measurements.rms', (_, { rms_dbfs: rms }) => dbfs(rms)],
  ['measurements.amplitude', (_, { amplitude, amplitude_dbfs: db }) => (db === null ? '0' : `${formatNumber(amplitude, 3)} · ${dbfs(db)}`)],
];
const OF_THE_SELECTION = 4; // the first ones need no server
/** Columns of a table of selections, with their units; numbers as programs read them. */
const COLUMNS = ['start_s', 'end_s', 'duration_s', 'low_hz', 'high_hz', 'mean_db', 'peak_db', 'peak_hz', 'peak_s', 'rms_dbfs', 'amplitude'];

function figuresPanel(viewer) {
  const root = element(`<section class="sg-selection"><header><h2></h2><p role="status"></p><div class="sg-group" role="group"></div></header>
    <dl></dl></section>`);
  const [title, note, actions, list] = ['h2', 'p', '.sg-group', 'dl'].map((selector) => root.querySelector(selector));
  title.textContent = t('measurements.selection');
  actions.setAttribute('aria-label', t('measurements.selection'));
  const cells = FIGURES.map(([name]) => {
    const cell = element('<div><dt></dt><dd>–</dd></div>');
    cell.firstChild.textContent = t(name);
    cell.title = t(`${name}_hint`);
    list.append(cell);
    return cell.lastChild;
  });
  let figures = null;
  const buttons = [
    ['measurements.copy', () => copy(asText(cells), 'measurements.copied')],
    ['measurements.csv', () => copy(asTable(figures), 'measurements.copied')],
    ['measurements.save', (button) => save(viewer, button)],
  ].map(([name, press]) => {
    const button = element('<button type="button" class="sg-tool"></button>');
    button.dataset.do = name.split('.').pop();
    button.textContent = t(name);
    button.title = t(`${name}_hint`);
    button.addEventListener('click', () => press(button));
    return button;
  });
  actions.append(...buttons);
  async function copy(text, said) {
    note.textContent = t(await toClipboard(text) ? said : 'measurements.not_copied');
  }
  function write(text, from) {
    figures = from;
    note.textContent = text;
    root.toggleAttribute('data-empty', !state.selection);
    buttons.forEach((button, i) => { button.disabled = i < 2 ? !from : !state.selection; });
    cells.forEach((cell, i) => {
      const known = state.selection && (i < OF_THE_SELECTION || from);
      cell.textContent = known ? FIGURES[i][1](state.selection, from) : '–';
    });
  }
  const show = (from) => {
    const part = from && from.measured < from.n_frames;
    const values = part && { measured: formatNumber(from.measured), frames: formatNumber(from.n_frames) };
    write(!state.selection ? tForPointer('measurements.none') : part ? t('measurements.sampled', values) : t('measurements.meaning'), state.selection && from);
  };
  show(null);
  return { root, show, refuse: (refusal) => write(refusal.message, null) };
}

function asText(cells) {
  return FIGURES.map(([name], i) => `${t(name)}: ${cells[i].textContent}`).join('\n');
}

function asTable(figures) {
  const { start, end } = state.selection;
  const row = { ...figures, ...state.selection, start_s: start, end_s: end, duration_s: end - start };
  const name = `"${state.sound.name.replaceAll('"', '""')}"`;
  return `file,${COLUMNS.join(',')}\n${[name, ...COLUMNS.map((column) => row[column] ?? '')].join(',')}\n`;
}

/** Put text on the clipboard, also where the page came without TLS; whether that worked. */
async function toClipboard(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch { // no permission, or no secure context
    const field = element('<textarea readonly></textarea>');
    field.value = text;
    document.body.append(field);
    field.select();
    const done = document.execCommand('copy');
    field.remove();
    return done;
  }
}

async function save(viewer, button) {
  button.disabled = true;
  try {
    const { sound: id, name } = { sound: state.sound.id, name: state.sound.name };
    const { start, end } = state.selection;
    const { path } = await request(viewer.server.save_selection, { sound: id, ...state.selection });
    const answer = await fetch(fileUrl(path));
    if (!answer.ok) throw new Error(t('page.offline'));
    const link = element('<a hidden></a>');
    link.href = URL.createObjectURL(await answer.blob()); // the server would name the file by its own name
    link.download = `${name.replace(/\.\w+$/, '')} ${start.toFixed(3)}-${end.toFixed(3)} s.wav`;
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000); // some browsers fetch it later than the click
  } catch (refusal) {
    showMessage(refusal instanceof TypeError ? t('page.offline') : refusal.message); // a TypeError is fetch's word for no answer
  } finally {
    button.disabled = !state.selection;
  }
}
