// Compare: the open sound as A, and B under it: another sound, the same with other settings, or both; and their difference.

import { keepInLink } from '../../core/link_fields.js';
import { events, state, timeFactor } from '../../core/state.js';
import { Component, mounting } from '../../lib/component.js';
import { element, onResize, textElement } from '../../lib/dom.js';
import { className, formatNumber, t } from '../../lib/i18n.js';
import { icon } from '../../lib/icons.js';
import { parameters, setSpec } from '../../viewer/parameters.js';
import { shortcut } from '../../viewer/shortcuts.js';
import { linkText, readLink } from './link.js';
import { Offset } from './offset.js';
import { OtherSound } from './other_sound.js';
import { KINDS } from './panes.js';
import { Sides } from './sides.js';

const RANGES_DB = [3, 6, 12, 24, 48];
const NORMAL = { kind: 'mel', range: 24 };

const SKELETON = `
  <div class="sg-compare-bar">
    <div role="group" data-aria="compare.other">
      <label><span data-t="compare.other"></span><select class="sg-other"></select></label>
      <label class="sg-button sg-pick" data-tip="compare.open_hint">${icon('file')}<span class="sg-visually-hidden"
        data-t="compare.open_hint"></span><input type="file" accept="audio/*,video/mp4,video/webm"></label>
      <button type="button" class="sg-button sg-record" data-tip="compare.record_hint">${icon('record')}<span
        class="sg-visually-hidden" data-t="player.record"></span></button>
      <span class="sg-meter" hidden><i></i></span><span class="sg-hint" hidden></span>
    </div>
    <div>
      <label data-tip="compare.settings_hint"><span data-t="compare.settings"></span><select class="sg-other-settings"></select></label>
      <button type="button" class="sg-button sg-keep" data-t="compare.keep" data-tip="compare.keep_hint"></button>
    </div>
    <div>
      <label data-tip="compare.offset_hint"><span data-t="compare.offset"></span><input type="number" class="sg-offset" step="0.001"
        value="0"><span data-t="page.unit_s"></span></label>
      <button type="button" class="sg-button sg-align" data-t="compare.align" data-tip="compare.align_hint"></button>
    </div>
    <div>
      <div class="sg-group sg-sides" role="group" data-aria="compare.sides"></div>
      <label class="sg-check" data-tip="compare.match_hint"><input type="checkbox" class="sg-match" checked>
        <span data-t="compare.match"></span></label><output class="sg-matched"></output>
    </div>
    <p class="sg-longer" hidden><span></span> <button type="button" class="sg-link" data-t="compare.next_part"></button></p>
    <div class="sg-shown">
      <label><span data-t="compare.view"></span><select class="sg-kind"></select></label>
      <label><span data-t="compare.range"></span><select class="sg-range-db"></select></label>
    </div>
  </div>
  <p class="sg-error" role="alert" hidden></p>
  <div class="sg-viewer" data-owner="compare"></div>`;

const sameSettings = (a, b) => Object.keys(a).every((name) => a[name] === b[name]);

class Compare extends Component {
  /** @type {Record<string, any> | null} B's settings; null: those of A */
  kept = null;
  settled = false; // whether the user has chosen B's settings
  kind = NORMAL.kind;
  /** @type {any} the server's description of A */
  first = state.sound;
  /** @type {any} what a link says, until the user changes something: its sound may open later */
  linked = null;
  /** @type {any[]} the three views */
  panes = [];
  /** @type {any[]} of the views */
  titles = [];
  keys = { x: shortcut('compare.key_switch', 'sound', () => this.sides.toggle()) };

  constructor(host, { server, upload, props }) {
    super(host, SKELETON);
    this.server = server;
    this.upload = upload;
    this.props = props;
    setSpec(props.parameters);
    this.other = new OtherSound(this);
    this.offset = new Offset(this);
    this.sides = new Sides(this);
    this.fillChoices();
    this.shown = this.find('.sg-shown');
    this.keep();
    this.build();
    this.on(events, 'sound', () => this.onSound());
    this.on(events, 'parameters', () => this.showTitles());
    onResize(this.host, () => this.showSides(), this.signal); // shown or hidden
    this.on(this.host, 'change', () => { this.linked = null; });
    keepInLink('compare', () => (this.onScreen ? this.linkText() : null), (text) => this.restore(text), this.signal);
  }

  fillChoices() {
    const { presets } = this.props.parameters;
    const fill = (selector, pairs, work) => {
      const select = this.find(selector);
      select.append(...pairs.map(([value, text]) => new Option(text, value)));
      select.addEventListener('change', () => work(select.value));
    };
    const presetNames = Object.keys(presets).map((name) => [name, t(`parameters.preset_${name}`)]);
    fill('.sg-other-settings', [['', t('compare.settings_same')], ['kept', t('compare.settings_kept')], ...presetNames], (value) => {
      this.settled = true;
      if (value === 'kept') this.keep();
      else this.setKept(this.presetOf(value));
    });
    this.find('.sg-keep').addEventListener('click', () => {
      this.settled = true;
      this.keep();
    });
    fill('.sg-kind', Object.keys(KINDS).map((kind) => [kind, t(`page.tab_${kind}`)]), (kind) => {
      this.kind = kind;
      this.build();
    });
    fill('.sg-range-db', RANGES_DB.map((range) => [range, `± ${range} ${t('page.unit_db')}`]), () => this.refresh());
    this.find('.sg-range-db').value = NORMAL.range;
  }

  /** Build the three views of the present kind. */
  build() {
    for (const pane of this.panes) pane.destroy();
    const [Lead, Other, Difference] = KINDS[this.kind];
    const lead = new Lead(this.find('.sg-viewer'), this.server, this.props.parameters);
    const hosts = [0, 1].map(() => element('<div class="sg-viewer sg-compact sg-pane"></div>'));
    lead.plot.after(...hosts);
    lead.toolbar.querySelector('.sg-right').before(this.shown);
    this.panes = [lead, new Other(hosts[0], this.server, null), new Difference(hosts[1], this.server, null)];
    this.titles = this.panes.map((pane, i) => {
      const title = textElement('p', '', 'sg-pane-title');
      pane.plot.append(title);
      pane.plot.setAttribute('aria-label', `${t(`compare.pane_${'abd'[i]}`)}. ${pane.plot.getAttribute('aria-label')}`);
      pane.comparison = this;
      return title;
    });
    this.offset.wireHandle(this.titles[1], this.panes[1]);
    this.find('.sg-range-db').disabled = this.kind === 'mfcc'; // coefficients have a range of their own
    this.refresh();
  }

  /** The description of B. */
  get second() {
    return this.other.sound ?? state.sound;
  }

  /** The part of a request that describes B and the difference. */
  query(panel) {
    const { config: other_config, cepstrum: other_cepstrum } = panel.query(this.kept ?? parameters.values);
    const range_db = Number(this.find('.sg-range-db').value);
    const { id } = this.second;
    return { other: id, other_config, ...(other_cepstrum && { other_cepstrum }), offset: this.offset.seconds, range_db };
  }

  /** Give up a sound B that the server has no longer; return whether it was B. */
  forget(id) {
    if (this.signal.aborted || this.other.sound?.id !== id) return false;
    this.other.use(null);
    this.showError(t('compare.gone'));
    return true;
  }

  refresh() {
    this.panes[0]?.refresh();
    this.showTitles();
  }

  /** B is another sound: by default with A's settings, the same sound with those of now. */
  chooseOther(sound) {
    if (!this.settled) {
      this.find('.sg-other-settings').value = sound ? '' : 'kept';
      this.kept = sound ? null : { ...parameters.values };
    }
    this.onOther();
  }

  /** A is another sound, or the same read otherwise. */
  onSound() {
    const [before, { sound }] = [this.first, state];
    this.first = sound;
    this.other.showChannels();
    this.moveOffset(before?.digest === sound.digest ? timeFactor(before, sound) : 0);
    this.showSides();
    this.other.follow(); // last: B's title says that it opens
    if (this.linked) this.applyLink();
  }

  linkText() {
    const chosen = this.find('.sg-other-settings').value || 'same';
    const { offset: { seconds: offset }, other: { sound: other }, kind, kept } = this;
    return linkText({ other, offset, kind, kept, chosen, range: Number(this.find('.sg-range-db').value) }, NORMAL);
  }

  /** Restore a link's comparison; false where it is not possible. */
  restore(text) {
    const { examples, parameters: { presets } } = this.props;
    this.linked = readLink(text ?? '', { examples, kinds: Object.keys(KINDS), ranges: RANGES_DB, presets: Object.keys(presets) });
    if (this.linked && state.sound) this.applyLink();
    return Boolean(this.linked);
  }

  async applyLink() {
    const { example, offset, view, range, settings, kept } = this.linked;
    this.find('.sg-range-db').value = range ?? NORMAL.range;
    this.find('.sg-kind').value = this.kind = view ?? NORMAL.kind;
    this.settled = Boolean(settings);
    if (settings) this.find('.sg-other-settings').value = settings === 'same' ? '' : settings;
    if (settings) this.kept = settings === 'kept' ? kept : this.presetOf(settings);
    this.build();
    if (example) await this.other.open(className(example), { example });
    else this.other.use(null);
    if (!this.signal.aborted && this.linked && offset) this.offset.set(this.offset.possible(offset));
  }

  /** The values of a preset for B; null: those of A. */
  presetOf(name) {
    const { presets } = this.props.parameters;
    return presets[name] ? { ...parameters.values, ...presets[name] } : null;
  }

  /** B is another sound. */
  onOther() {
    this.offset.set(0);
    this.showSides();
  }

  /** B is the same sound read otherwise; `factor`: what its times are multiplied by. */
  onReread(factor) {
    this.moveOffset(factor);
    this.showSides();
  }

  moveOffset(factor) {
    this.offset.set(this.offset.possible(this.offset.seconds * factor));
  }

  onOffset() {
    this.sides.alternation.change({ offset: this.offset.seconds });
    this.refresh();
  }

  showSides() {
    this.find('.sg-align').disabled = !state.sound || !this.other.sound;
    return this.sides.show();
  }

  /** Keep A's present settings for B, whatever A's become. */
  keep() {
    this.find('.sg-other-settings').value = 'kept';
    this.setKept({ ...parameters.values });
  }

  setKept(values) {
    this.kept = values;
    this.refresh();
  }

  showBusy(text) {
    this.titles[1].textContent = `B · ${text}`;
  }

  /** Write what each view shows, once the server has answered with the difference. */
  showTitles(answer = null) {
    const [a, b, difference] = this.titles;
    if (!a || !state.sound) return;
    a.textContent = `A · ${state.sound.name}`;
    const settings = this.kept && !sameSettings(this.kept, parameters.values) && this.find('.sg-other-settings').selectedOptions[0]?.textContent;
    b.textContent = ['⟷ B', this.second.name, settings, this.offset.seconds && this.offset.text()].filter(Boolean).join(' · ');
    this.offset.describe(b);
    this.offset.showLonger();
    if (answer) difference.textContent = this.summary(answer);
  }

  summary({ mean, rms }) {
    if (mean === null) return t('compare.no_overlap');
    const sign = mean > 0.05 ? '+' : '';
    const unit = this.panes[0].levelUnit();
    return t('compare.summary', { mean: sign + formatNumber(mean, 1), rms: formatNumber(rms, 1), unit });
  }

  destroy() {
    for (const pane of this.panes) pane.destroy();
    super.destroy();
  }
}

export const mount = mounting('.sg-compare', Compare);
