// Saliency: the network's input with the heat map of one class over it. Classes that have come and the strength need no
// request.

import { token } from '../core/rpc.js';
import { audio, events, onPlayhead, seek, state } from '../core/state.js';
import { MARGIN, drawPlayhead, drawTimeAxis, drawVerticalAxis, hertz, plotArea, prepareCanvas } from '../lib/canvas_axes.js';
import { decodeBase64, element, fileUrl, find, onResize, onThemeChange } from '../lib/dom.js';
import { className, classNames, formatTime, language, messagesReady, formatNumber, t } from '../lib/i18n.js';
import { offerRetryLater } from '../widgets/retry_button.js';
import { frequencyAxis, frequencyTicks, hzToMel } from '../lib/frequency_axis.js';
import { clipPlayer, playClip } from '../player/clip_player.js';
import { heated } from '../lib/heatmap.js';
import { timeTicks } from '../lib/time_axis.js';

const MARGINS = { ...MARGIN, left: 46, right: 8 };
const SKELETON = `
  <div>
    <h2></h2>
    <p class="sg-small sg-given"></p>
    <div class="sg-choices" role="group" data-aria="saliency.choices"></div>
    <p class="sg-wait"></p>
    <p class="sg-wrong" role="alert" hidden></p>
    <div class="sg-map" role="img"><canvas></canvas><canvas></canvas><p data-t="saliency.none" hidden></p></div>
    <div class="sg-tools">
      <label><span data-t="saliency.strength"></span><input type="range" min="0" max="100" value="75"></label>
      <span class="sg-scale" aria-hidden="true"><small data-t="saliency.nothing"></small><i></i><small data-t="saliency.most"></small></span>
      <button type="button" class="sg-button"></button>
    </div>
    <p class="sg-small sg-meaning"></p>
    <p class="sg-small sg-tested" hidden></p>
  </div>`;

export async function mount(root, { trigger, watch, props }) {
  await messagesReady;
  const host = root.querySelector('.sg-why');
  host.why = new Saliency(host, trigger); // the handle for tests and the console
  watch('value', () => host.why.take(props.value));
}

class Saliency {
  data = null; // of the clip: levels and maps
  label = null; // the class shown
  wanted = null; // the class requested

  constructor(host, trigger) {
    this.host = host;
    this.trigger = trigger;
    host.replaceChildren(element(SKELETON));
    this.find = (selector) => find(host, selector);
    this.plot = this.find('.sg-map');
    this.image = this.plot.children[0];
    this.overlay = this.plot.children[1];
    this.none = this.plot.children[2];
    this.slider = this.find('input');
    this.clip = clipPlayer();
    this.wire();
  }

  wire() {
    events.addEventListener('classified', (/** @type {any} */ { detail }) => this.follow(detail));
    events.addEventListener('explain', (/** @type {any} */ { detail }) => this.ask(detail.label, detail.start ?? 0));
    events.addEventListener('sound', () => this.hide());
    this.slider.addEventListener('input', () => this.paint());
    this.find('.sg-tools button').addEventListener('click', () => this.playClip());
    this.clip.addEventListener('play', () => this.drawPlayhead());
    this.plot.addEventListener('click', (event) => this.seekTo(event));
    onResize(this.plot, () => this.paint());
    onThemeChange(() => this.paint());
    onPlayhead(() => this.drawPlayhead());
  }

  hide() {
    this.host.hidden = true;
    this.host.removeAttribute('data-filled');
    this.data = this.wanted = null;
    this.clip.pause();
  }

  /** The first clip was classified: explain its likeliest class. */
  follow(answer) {
    if (answer.top.length) this.ask(answer.top[0][0], answer.start);
  }

  /** Show a class's map in the clip that begins at `start`; request it if it has not come yet. */
  ask(label, start) {
    if (!state.sound) return;
    this.host.hidden = false;
    this.wrong('');
    this.wanted = label;
    if (this.data?.sound === state.sound.id && this.data.asked === start && (!label || this.data.maps[label])) {
      this.choose(label ?? this.data.top[0][0]);
      return;
    }
    this.host.toggleAttribute('data-busy', true);
    const wait = element('<p class="sg-wait"></p>');
    wait.textContent = t('saliency.wait');
    offerRetryLater(wait, () => this.ask(label, start));
    this.find('.sg-wait').replaceWith(wait);
    this.trigger('explain', { token: token(), sound: state.sound.id, start, labels: label ? [label] : [] });
  }

  take(answer) {
    if (!answer || answer.sound !== state.sound?.id) return; // another sound was opened meanwhile
    this.host.removeAttribute('data-busy');
    this.wrong(answer.error ?? (Object.keys(answer.maps).length ? '' : t('saliency.silence')));
    if (answer.error || !Object.keys(answer.maps).length) return;
    const maps = Object.fromEntries(Object.entries(answer.maps).map(([label, heat]) => [label, decodeBase64(heat)]));
    const same = this.data?.sound === answer.sound && this.data.start === answer.start;
    const had = same ? this.data : { maps: {}, probabilities: {} };
    this.data = {
      ...answer, levels: decodeBase64(answer.levels), maps: { ...had.maps, ...maps },
      probabilities: { ...had.probabilities, ...answer.probabilities },
    };
    this.clip.src = `${fileUrl(answer.clip)}?from=${answer.start}`;
    this.host.toggleAttribute('data-filled', true);
    this.describe();
    this.choose(this.data.maps[this.wanted] ? this.wanted : answer.top[0][0]);
  }

  wrong(text) {
    const line = this.find('.sg-wrong');
    [line.hidden, line.textContent] = [!text, text];
    this.host.toggleAttribute('data-wrong', Boolean(text));
  }

  /** Describe the clip and its map. */
  describe() {
    const { start, clip_seconds: seconds, fit, deletion } = this.data;
    const times = { seconds: formatNumber(seconds, 2), own: formatNumber(state.sound.seconds, 2), start: formatTime(start), end: formatTime(start + seconds) };
    this.find('.sg-given').textContent = t(start > 0 ? 'saliency.given_window' : `saliency.given_${fit}`, times);
    this.find('.sg-tools button').textContent = `${t('saliency.play_clip')} · ${formatTime(seconds)}`;
    this.find('.sg-meaning').textContent = t('saliency.means', { seconds: formatNumber(this.data.cell_s, 2), bands: formatNumber(this.data.cell_bands) });
    const tested = this.find('.sg-tested');
    tested.hidden = !deletion;
    if (!deletion) return;
    const share = (value) => formatNumber(100 * value, 0);
    tested.textContent = t('saliency.tested', {
      clips: formatNumber(deletion.clips), share: share(deletion.shares[0]), before: share(deletion.before),
      marked: share(deletion.marked[0]), random: share(deletion.random[0]),
    });
  }

  choose(label) {
    this.label = label;
    this.choices();
    this.find('h2').textContent = t('saliency.title', { name: className(label) });
    this.none.hidden = this.data.maps[label].some(Boolean);
    this.plot.setAttribute('aria-label', t('saliency.map', { name: className(label) }));
    this.paint();
    for (const row of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('.sg-bars li'))) {
      if (row.dataset.label === label) row.setAttribute('aria-current', 'true');
      else row.removeAttribute('aria-current');
    }
  }

  /** A button for each class whose map has come, and a list of all others. */
  choices() {
    const { probabilities, maps } = this.data;
    const box = this.find('.sg-choices');
    const focused = box.querySelector('button:focus')?.dataset.label;
    const buttons = Object.keys(maps).sort((a, b) => probabilities[b] - probabilities[a]).map((label) => {
      const button = element('<button type="button" class="sg-chip"><span></span> <small></small></button>');
      button.dataset.label = label;
      button.firstChild.textContent = className(label);
      button.lastChild.textContent = `${formatNumber(100 * probabilities[label], 1)}\u00a0%`;
      button.setAttribute('aria-pressed', String(label === this.label));
      button.addEventListener('click', () => this.ask(label, this.data.asked));
      return button;
    });
    box.replaceChildren(...buttons, this.others());
    if (focused) box.querySelector(`[data-label="${focused}"]`)?.focus();
  }

  others() {
    const select = element('<select data-aria="saliency.other"></select>');
    select.append(new Option(t('saliency.other'), ''));
    const left = Object.keys(classNames).filter((label) => !this.data.maps[label]);
    for (const label of left.sort((a, b) => className(a).localeCompare(className(b), language))) {
      select.append(new Option(className(label), label));
    }
    select.addEventListener('change', () => { if (select.value) this.ask(select.value, this.data.asked); });
    return select;
  }

  area() {
    return plotArea(this.plot.getBoundingClientRect(), MARGINS);
  }

  /** Seconds of the sound at the left and the right edge; frames are centred on their times. */
  span() {
    const { start, before_s: before, columns, hop_s: hop } = this.data;
    return [start - before - hop / 2, start - before + (columns - 0.5) * hop];
  }

  xOf(time) {
    const { left, width } = this.area();
    const [first, last] = this.span();
    return left + ((time - first) / (last - first)) * width;
  }

  paint() {
    if (!this.data || !this.plot.offsetParent) return;
    const { left, top, width, height } = this.area();
    const { levels, rows, columns, maps } = this.data;
    const strength = Number(this.slider.value) / 100;
    this.slider.setAttribute('aria-valuetext', `${this.slider.value} %`);
    const off = new OffscreenCanvas(columns, rows);
    off.getContext('2d').putImageData(heated(levels, maps[this.label], rows, columns, strength), 0, 0);
    const context = prepareCanvas(this.image, this.plot.getBoundingClientRect());
    context.imageSmoothingEnabled = false;
    context.drawImage(off, left, top, width, height);
    this.scales(context);
    this.mirrored(context);
    this.drawPlayhead();
  }

  scales(context) {
    const area = this.area();
    const [first, last] = this.span();
    drawVerticalAxis(context, area, getComputedStyle(this.plot), this.marks(area.height), t('page.freq_axis'));
    const times = timeTicks(first, last, area.width / 70).map(([time, text]) => [(time - first) / (last - first), text]);
    drawTimeAxis(context, area, times, MARGINS.right);
  }

  /** Labels of the frequency axis: [share of the height, text]; band i of n lies around mel i + 1 of n + 1 steps. */
  marks(height) {
    const { low_hz: low, high_hz: high, mel_scale: scale, rows } = this.data;
    const [a, b] = [hzToMel(low, scale), hzToMel(high, scale)];
    const share = (hz) => (((hzToMel(hz, scale) - a) / (b - a)) * (rows + 1) - 0.5) / rows;
    const wanted = frequencyTicks(frequencyAxis('mel', low, high, scale), 'mel', 22 / height);
    return wanted.filter((hz) => share(hz) >= 0 && share(hz) <= 1).map((hz) => [share(hz), hertz(hz)]);
  }

  /** Lines where a sound shorter than the clip begins and ends; beyond them it was mirrored. */
  mirrored(context) {
    if (this.data.fit !== 'padded') return;
    const { top, height } = this.area();
    context.fillStyle = '#fff';
    for (const time of [0, state.sound.seconds]) {
      for (let y = top; y < top + height; y += 8) context.fillRect(Math.round(this.xOf(time)), y, 1, 4);
    }
  }

  drawPlayhead() {
    if (!this.data || this.data.sound !== state.sound?.id || !this.plot.offsetParent) return;
    const playing = !this.clip.paused && !this.clip.ended;
    const time = playing ? this.data.start - this.data.before_s + this.clip.currentTime : audio.currentTime;
    const context = prepareCanvas(this.overlay, this.plot.getBoundingClientRect());
    drawPlayhead(context, this.area(), this.xOf(time));
    if (playing) requestAnimationFrame(() => this.drawPlayhead());
  }

  playClip() {
    if (!this.clip.paused) {
      this.clip.pause();
      return;
    }
    this.clip.currentTime = 0;
    playClip(this.clip);
  }

  seekTo(event) {
    if (!this.data) return;
    const [first, last] = this.span();
    const { left, width } = this.area();
    const share = (event.clientX - this.plot.getBoundingClientRect().left - left) / width;
    if (share >= 0 && share <= 1) seek(Math.min(Math.max(0, first + share * (last - first)), state.sound.seconds));
  }
}
