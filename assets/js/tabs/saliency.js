// Saliency: the network's input with the saliency map of one class over it. The server is asked once for each clip and class.

import { token } from '../core/rpc.js';
import { events, play, state } from '../core/state.js';
import { Component, mounting } from '../lib/component.js';
import { decodeBase64, element, fileUrl, textElement } from '../lib/dom.js';
import { className, formatNumber, formatPercent, formatTime, language, t } from '../lib/i18n.js';
import { playInterval } from '../player/playback.js';
import { clipPlayer } from '../player/clip_player.js';
import { offerRetryLater } from '../widgets/retry_button.js';
import { newestOnly } from './newest_only.js';
import { SaliencyMap } from './saliency_map.js';

const SKELETON = `
  <div>
    <h2></h2>
    <p class="sg-small sg-clip-interval"></p>
    <div class="sg-choices" role="group" data-aria="saliency.choices"></div>
    <p class="sg-wait"></p>
    <p class="sg-error" role="alert" hidden></p>
    <div class="sg-map" role="img"><canvas></canvas><canvas></canvas><p data-t="saliency.none" hidden></p></div>
    <h3 class="sg-regions-title" data-t="saliency.regions"></h3>
    <ol class="sg-regions"></ol>
    <div class="sg-tools">
      <label><span data-t="saliency.strength"></span><input type="range" min="0" max="100" value="75"></label>
      <span class="sg-scale" aria-hidden="true">
        <small data-t="saliency.nothing"></small><i></i><small data-t="saliency.most"></small></span>
      <button type="button" class="sg-button"></button>
    </div>
    <p class="sg-small sg-meaning"></p>
    <p class="sg-small sg-deletion" hidden></p>
  </div>`;

class Saliency extends Component {
  /** @type {any} the shown clip, shared with the map */
  data = null;
  /** @type {string | null} the shown class */
  label = null;
  /** @type {string | null} the requested class */
  wanted = null;
  second = false; // whether it is one of the second network in use
  /** @type {(number | null)[]} start and end that were requested */
  interval = [];
  turn = Date.now(); // counts networks, sounds and intervals: replies about earlier ones are ignored

  constructor(host, context) {
    super(host, SKELETON);
    this.trigger = newestOnly(context, this.signal);
    this.slider = this.find('input');
    this.clip = clipPlayer(this.signal);
    this.map = new SaliencyMap(this.find('.sg-map'), this.clip, this.signal);
    this.onValue(context, (reply) => this.take(reply));
    this.on(events, 'classified', ({ detail: { top, start, end, asked } }) => {
      if (top.length) this.request(asked?.label ?? top[0][0], start, end, Boolean(asked?.label && asked.second));
      else this.hide();
    });
    this.on(events, 'explain', ({ detail }) => this.request(detail.label, detail.start ?? 0, detail.end, detail.second));
    this.on(events, 'sound network', () => this.hide());
    this.on(this.slider, 'input', () => this.draw());
    this.on(this.find('.sg-tools button'), 'click', () => this.playClip());
  }

  hide() {
    this.host.hidden = true;
    this.host.removeAttribute('data-filled');
    this.data = this.map.data = this.wanted = null;
    this.turn += 1;
    this.clip.pause();
  }

  /** Show a class's map in the clip that begins at `start`, from the server unless it is there already.
   * @param {string | null} label
   * @param {number} start
   * @param {number | null} [end] of the interval in the clip, which is padded where that is shorter
   * @param {boolean} [second] whether the second network in use has the class
   * @param {boolean} [retry] whether the reply to the last request is lost
   */
  request(label, start, end = null, second = false, retry = false) {
    if (!state.sound) return;
    if (second !== this.second) this.hide();
    if (start !== this.interval[0] || end !== this.interval[1]) this.turn += 1;
    this.host.hidden = false;
    this.showError();
    [this.wanted, this.second, this.interval] = [label, second, [start, end]];
    if (this.showsClip(start, end) && (!label || this.data.maps[label])) {
      this.host.removeAttribute('data-busy');
      this.choose(label ?? this.data.top[0][0]);
      return;
    }
    this.host.toggleAttribute('data-busy', true);
    const wait = textElement('p', t('saliency.wait'), 'sg-wait');
    offerRetryLater(wait, () => this.request(label, start, end, second, true));
    this.find('.sg-wait').replaceWith(wait);
    const about = { token: token(), sound: state.sound.id, start, end, second, labels: label ? [label] : [], turn: this.turn };
    this.trigger('explain', about, retry);
  }

  showsClip(start, end) {
    return this.data?.sound === state.sound.id && this.data.asked === start && this.data.end === end;
  }

  take(reply) {
    if (!reply || reply.turn !== this.turn || reply.sound !== state.sound?.id) return; // another sound, network or interval was chosen meanwhile
    this.host.removeAttribute('data-busy');
    this.showError(reply.error ?? (Object.keys(reply.maps).length ? '' : t('saliency.silence')));
    if (reply.error || !Object.keys(reply.maps).length) return;
    const maps = Object.fromEntries(Object.entries(reply.maps).map(([label, heat]) => [label, decodeBase64(heat)]));
    const same = this.showsClip(reply.asked, reply.end);
    const before = same ? this.data : { maps: {}, probabilities: {}, regions: {} };
    this.data = this.map.data = {
      ...reply, levels: decodeBase64(reply.levels), maps: { ...before.maps, ...maps },
      probabilities: { ...before.probabilities, ...reply.probabilities }, regions: { ...before.regions, ...reply.regions },
    };
    this.clip.src = `${fileUrl(reply.clip)}?from=${reply.start}-${reply.end ?? ''}`;
    this.host.toggleAttribute('data-filled', true);
    this.describe();
    this.host.toggleAttribute('data-busy', Boolean(this.wanted) && !this.data.maps[this.wanted]); // the next reply has it
    this.choose(this.data.maps[this.wanted] ? this.wanted : reply.top[0][0]);
  }

  showError(text = '') {
    super.showError(text);
    this.host.toggleAttribute('data-wrong', Boolean(text));
  }

  /** Describe the clip, and what the map means for it. */
  describe() {
    const { start, end, own_s: own, clip_seconds: seconds, fit, deletion, cell_s: cell, cell_bands: bands } = this.data;
    const times = {
      seconds: formatNumber(seconds, 2), own: formatNumber(own, 2),
      start: formatTime(start), end: formatTime(end ?? start + seconds),
    };
    const part = fit === 'padded' && end !== null ? 'padded_interval' : start > 0 || end !== null ? 'window' : fit;
    this.find('.sg-clip-interval').textContent = t(`saliency.given_${part}`, times);
    this.find('.sg-tools button').textContent = `${t('saliency.play_clip')} · ${formatTime(seconds)}`;
    this.find('.sg-meaning').textContent = t('saliency.means', { seconds: formatNumber(cell, 2), bands: formatNumber(bands) });
    this.find('.sg-deletion').hidden = !deletion;
    if (!deletion) return;
    const hundredths = (share) => formatNumber(100 * share);
    const { marked: [marked], random: [random], shares: [tenth], outlined } = deletion;
    const about = outlined ?? { share: tenth, marked, random };
    this.find('.sg-deletion').textContent = t(outlined ? 'saliency.tested_outlined' : 'saliency.tested', {
      clips: formatNumber(deletion.clips), share: hundredths(about.share), before: hundredths(deletion.before),
      marked: hundredths(about.marked), random: hundredths(about.random),
    });
  }

  choose(label) {
    this.label = this.map.label = label;
    this.showChoices();
    this.find('h2').textContent = t('saliency.title', { name: className(label) });
    this.find('.sg-map p').hidden = this.data.maps[label].some(Boolean);
    const regions = this.map.regions().map(regionText).join('; ');
    this.find('.sg-map').setAttribute('aria-label', t(regions ? 'saliency.map_regions' : 'saliency.map', { name: className(label), regions }));
    this.showRegions();
    this.draw();
    for (const row of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('.sg-bars li'))) {
      const shown = row.dataset.label === label && Boolean(row.closest('[data-second]')) === this.second;
      row.ariaCurrent = shown ? 'true' : null;
    }
  }

  /** What to listen for: a button for each region plays only that, the most important first. */
  showRegions() {
    const regions = this.map.regions();
    this.map.chosen = -1;
    this.find('.sg-regions-title').hidden = !regions.length;
    this.find('.sg-regions').replaceChildren(...regions.map((region, number) => {
      const item = element('<li><button type="button" class="sg-region"><span></span> <small></small></button></li>');
      const button = item.querySelector('button');
      button.querySelector('span').textContent = regionText(region);
      button.querySelector('small').textContent = t('saliency.region_weight', { share: formatNumber(100 * region.weight) });
      button.title = t('saliency.play_region');
      button.addEventListener('click', () => this.playRegion(region));
      for (const name of ['pointerenter', 'focus']) button.addEventListener(name, () => this.choosePart(number));
      button.setAttribute('aria-label', `${t('saliency.play_region')}: ${button.textContent}`);
      for (const name of ['pointerleave', 'blur']) button.addEventListener(name, () => this.choosePart(this.focusedPart()));
      return item;
    }));
  }

  /** Number of the region whose button has the focus, or -1. */
  focusedPart() {
    return [...this.find('.sg-regions').children].findIndex((item) => item.contains(document.activeElement));
  }

  choosePart(number) {
    this.map.chosen = number;
    this.map.draw();
  }

  playRegion({ start, end, low_hz, high_hz }) {
    this.clip.pause();
    playInterval({ start, end, low_hz, high_hz }, className(this.label));
  }

  /** A button for each class whose map is there, and a list of all others. */
  showChoices() {
    const { probabilities, maps, asked, end } = this.data;
    const box = this.find('.sg-choices');
    const focused = box.contains(document.activeElement) && /** @type {HTMLElement} */ (document.activeElement).dataset.label;
    const buttons = Object.keys(maps).sort((a, b) => probabilities[b] - probabilities[a]).map((label) => {
      const button = element('<button type="button" class="sg-chip"><span></span> <small></small></button>');
      button.dataset.label = label;
      button.firstChild.textContent = className(label);
      button.lastChild.textContent = formatPercent(probabilities[label], 1);
      button.setAttribute('aria-pressed', String(label === this.label));
      button.addEventListener('click', () => this.request(label, asked, end, this.second));
      return button;
    });
    box.replaceChildren(...buttons, this.otherClasses());
    if (focused) box.querySelector(`[data-label="${focused}"]`)?.focus();
  }

  otherClasses() {
    const select = element('<select data-aria="saliency.other"></select>');
    select.append(new Option(t('saliency.other'), ''));
    const others = this.data.labels.filter((/** @type {string} */ label) => !this.data.maps[label]);
    others.sort((a, b) => className(a).localeCompare(className(b), language));
    select.hidden = !others.length; // a few own classes are all buttons
    select.append(...others.map((label) => new Option(className(label), label)));
    select.addEventListener('change', () => { if (select.value) this.request(select.value, this.data.asked, this.data.end, this.second); });
    return select;
  }

  draw() {
    this.slider.setAttribute('aria-valuetext', `${this.slider.value} %`);
    this.map.strength = Number(this.slider.value) / 100;
    this.map.draw();
  }

  playClip() {
    if (!this.clip.paused) return this.clip.pause();
    this.clip.currentTime = 0;
    play(this.clip);
  }
}

/** A region in words: 400 to 900 Hz, 2.1 to 2.6 s. */
function regionText({ start, end, low_hz: low, high_hz: high }) {
  const hz = (value) => formatNumber(Number(value.toPrecision(2)));
  const digits = end - start < 0.2 ? 2 : 1;
  return t('saliency.region', { low: hz(low), high: hz(high), start: formatNumber(start, digits), end: formatNumber(end, digits) });
}

export const mount = mounting('.sg-saliency', Saliency);
