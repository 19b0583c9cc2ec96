// The menu "Save" of every view: figures, numbers, librosa's code, the selection, settings, print.

import { request } from '../core/rpc.js';
import { state } from '../core/state.js';
import { element, fetchFile, find, saveFile, stem, toClipboard } from '../lib/dom.js';
import { formatNumber, t } from '../lib/i18n.js';
import { wait } from '../lib/wait.js';
import { menu } from '../widgets/menu.js';
import { parameters } from './parameters.js';
import { chosenFeatures } from './feature_overlays.js';
import { applySettings, settingsNow } from './permalink.js';
import { saveSelection } from './selection.js';

const POLL_MS = 400;
const SIZES = { // print sizes in cm, with dots per inch
  page: { width_cm: 17, height_cm: 9, dpi: 300 },
  column: { width_cm: 8.5, height_cm: 6, dpi: 300 },
  slide: { width_cm: 25.4, height_cm: 14.3, dpi: 150 },
};
const MAX_SETTINGS_BYTES = 20_000;
const APPLICATION = 'Soundglass';

/** Add the menu to a view.
 * @param {any} viewer a SoundView with `exported()`: what of its display an export has
 * @param {[string, string, (close: () => void) => void][]} [more] image buttons of the view alone: key, text, press
 */
export function saveMenu(viewer, more = []) {
  if (viewer.owner === viewer.view) new SaveMenu(viewer, more); // a part of the page with a view of its own is small
  return {};
}

class SaveMenu {
  whole = false;

  constructor(viewer, more) {
    this.viewer = viewer;
    const { root, panel, button, close } = menu('save', 'save.export', { text: true, signal: viewer.signal });
    root.classList.add('sg-right');
    viewer.toolbar.append(root);
    this.close = close;
    panel.classList.add('sg-save-panel');
    panel.append(...this.sections(more));
    this.panel = panel;
    this.status = find(panel, '[role=status]');
    button.addEventListener('click', () => this.update());
    viewer.onState('features selection sound', () => this.update());
    this.update();
  }

  sections(more) {
    const size = element('<select data-aria="save.size"></select>');
    for (const [name, { width_cm: width, height_cm: height, dpi }] of Object.entries(SIZES)) {
      const cm = `${formatNumber(width, width % 1 ? 1 : 0)} × ${formatNumber(height, height % 1 ? 1 : 0)}`;
      size.append(new Option(t(`save.size_${name}`, { cm, dpi }), name));
    }
    this.size = size;
    const range = element(`<div class="sg-save-range" role="radiogroup" data-aria="save.range">
      <label><input type="radio" value="shown" checked><span data-t="save.range_shown"></span></label>
      <label><input type="radio" value="whole"><span data-t="save.range_whole"></span></label></div>`);
    const radios = [...range.querySelectorAll('input')];
    for (const radio of radios) {
      radio.name = `sg-save-range-${this.viewer.owner}`;
      radio.addEventListener('change', () => { this.whole = radio.value === 'whole'; });
    }
    const choose = this.settingsFile();
    const file = (format) => this.button(format.toUpperCase(), format, () => this.save(format));
    this.contours = this.button(t('save.features'), 'features_csv', () => this.save('features_csv'));
    this.selection = this.button(t('save.selection'), 'selection', () => this.run(() => saveSelection(this.viewer)));
    return [
      section('save.image', file('png'), file('svg'), size, ...more.map(([key, text, press]) => this.button(text, key, () => press(this.close)))),
      section('save.numbers', range, file('csv'), file('npy'), file('npz'), this.contours),
      section(
        'save.code',
        this.button(t('save.copy_code'), 'code', () => this.copyCode()),
        this.button(t('save.notebook'), 'ipynb', () => this.save('ipynb')),
      ),
      section(
        'save.rest', this.selection,
        this.button(t('save.settings'), 'settings', () => this.saveSettings()),
        this.button(t('save.load_settings'), 'load_settings', () => choose.click()), choose,
        this.button(t('save.print'), 'print', () => window.print()),
      ),
      element('<p role="status" class="sg-save-status"></p>'),
    ];
  }

  button(text, name, press) {
    const made = element(`<button type="button" class="sg-tool" data-save="${name}"></button>`);
    made.textContent = text;
    made.addEventListener('click', press);
    return made;
  }

  /** Show only what there is to save. */
  update() {
    this.selection.hidden = !state.selection;
    this.contours.hidden = this.features().every((feature) => parameters.spec.feature_spectrograms.includes(feature));
    this.status.textContent = '';
  }

  features() {
    return ['mel', 'stft'].includes(this.viewer.view) ? chosenFeatures() : [];
  }

  /** The request for an export of what the view shows. */
  query(format) {
    const { viewer } = this;
    const { sound, visible: { start, end } } = state;
    const { figure, ...about } = viewer.exported();
    const image = ['png', 'svg'].includes(format);
    const times = this.whole && !image ? { start: 0, end: sound.seconds } : { start, end: Math.min(end, sound.seconds) };
    const { config = null, cepstrum } = viewer.panel.query();
    return {
      sound: sound.id, format, view: viewer.view, ...times, ...about, features: this.features(),
      config: viewer.view === 'wave' ? null : config, ...(cepstrum && { cepstrum }), figure: { ...SIZES[this.size.value], ...figure },
    };
  }

  /** Run a request of the user's, and report how it ends. */
  async run(work) {
    this.panel.toggleAttribute('data-busy', true);
    this.status.textContent = t('save.working');
    try {
      this.status.textContent = (await work()) ?? '';
    } catch (error) {
      this.status.textContent = error.message;
    } finally {
      this.panel.toggleAttribute('data-busy', false);
    }
  }

  /** The server's reply, once the features that it needs are computed. */
  async export(format) {
    const query = this.query(format);
    for (;;) {
      const reply = await request(this.viewer.server.export, query);
      if (this.viewer.signal.aborted || !('progress' in reply)) return reply;
      this.status.textContent = t('save.computing', { percent: Math.round(100 * reply.progress) });
      await wait(POLL_MS);
    }
  }

  save(format) {
    if (!state.sound) return;
    const name = `${stem(state.sound.name)} ${t(`page.tab_${this.viewer.view}`)}`;
    this.run(async () => {
      const { url, text } = await this.export(format);
      const data = url ? await fetchFile(url) : text;
      if (this.viewer.signal.aborted) return;
      saveFile([data], `${name}${format === 'features_csv' ? ` ${t('save.features')}` : ''}.${format.replace('features_', '')}`);
    });
  }

  copyCode() {
    if (!state.sound) return;
    this.run(async () => {
      const { text } = await this.export('code');
      return t(await toClipboard(text) ? 'save.code_copied' : 'measurements.not_copied');
    });
  }

  saveSettings() {
    const text = JSON.stringify({ application: APPLICATION, settings: settingsNow() }, null, 2);
    saveFile([text], `${APPLICATION.toLowerCase()}-settings.json`, 'application/json');
  }

  /** A hidden field for a file of settings. */
  settingsFile() {
    const input = element('<input type="file" accept=".json,application/json" hidden>');
    input.addEventListener('change', () => this.run(async () => {
      const [file] = input.files;
      input.value = ''; // the same file may be chosen again
      const settings = file.size <= MAX_SETTINGS_BYTES ? settingsOf(await file.text()) : null;
      if (!settings) throw new Error(t('save.no_settings', { name: file.name }));
      applySettings(settings);
      return t('save.settings_loaded');
    }));
    return input;
  }
}

/** The settings in the text of a file, or null. */
function settingsOf(text) {
  try {
    const { application, settings } = JSON.parse(text);
    const plain = (value) => ['string', 'number', 'boolean'].includes(typeof value);
    return application === APPLICATION && Object.values(settings).every(plain) ? settings : null;
  } catch {
    return null;
  }
}

function section(title, ...controls) {
  const box = element(`<section><h4 data-t="${title}"></h4><div></div></section>`);
  find(box, 'div').append(...controls);
  return box;
}
