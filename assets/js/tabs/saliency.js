// What speaks for a class: the picture that the network was given, over it the heat map of one class at a time. Class and
// strength are the browser's own; the server is asked for a clip, and for a class that it has not sent yet.

import { token } from '../core/rpc.js';
import { audio, events, onPlayhead, seek, state } from '../core/state.js';
import { decodeBase64, element, fileUrl } from '../lib/dom.js';
import { className, classNames, formatTime, language, messagesReady, formatNumber, t } from '../lib/i18n.js';
import { offerRetryLater } from '../widgets/retry_button.js';
import { frequencyAxis, frequencyTicks, hzToMel } from '../lib/frequency_axis.js';
import { clipPlayer, playClip } from '../player/clip_player.js';
import { heated } from '../lib/heatmap.js';
import { timeTicks } from '../lib/time_axis.js';

const MARGIN = { left: 46, right: 8, top: 20, bottom: 24 };
const SKELETON = `
  <div>
    <h2></h2>
    <p class="sg-small sg-given"></p>
    <div class="sg-choices" role="group"></div>
    <p class="sg-wait"></p>
    <p class="sg-wrong" role="alert" hidden></p>
    <div class="sg-map" role="img"><canvas></canvas><canvas></canvas><p hidden></p></div>
    <div class="sg-tools">
      <label><span></span><input type="range" min="0" max="100" value="75"></label>
      <span class="sg-scale" aria-hidden="true"><small></small><i></i><small></small></span>
      <button type="button" class="sg-button"></button>
    </div>
    <p class="sg-small sg-meaning"></p>
    <p class="sg-small sg-tested" hidden></p>
  </div>`;

export async function mount(root, { trigger, watch, props }) {
  await messagesReady;
  const host = root.querySelector('.sg-why');
  host.why = new Saliency(host, trigger, props); // there for tests and the curious
  watch('value', () => host.why.take(props.value));
}

class Saliency {
  constructor(host, trigger, props) {
    Object.assign(this, { host, trigger, props, data: null, label: null, wanted: null });
    host.replaceChildren(element(SKELETON));
    this.find = (selector) => host.querySelector(selector);
    this.plot = this.find('.sg-map');
    [this.picture, this.overlay, this.none] = this.plot.children;
    this.slider = this.find('input');
    this.clip = clipPlayer();
    this.words();
    this.wire();
  }

  words() {
    this.find('.sg-choices').setAttribute('aria-label', t('saliency.choices'));
    this.find('.sg-tools span').textContent = t('saliency.strength');
    this.none.textContent = t('saliency.none');
    [this.find('.sg-scale small:first-child').textContent, this.find('.sg-scale small:last-child').textContent] =
      [t('saliency.nothing'), t('saliency.most')];
  }

  wire() {
    events.addEventListener('classified', ({ detail }) => this.follow(detail));
    events.addEventListener('explain', ({ detail }) => this.ask(detail.label, detail.start ?? 0));
    events.addEventListener('sound', () => this.hide());
    this.slider.addEventListener('input', () => this.paint());
    this.find('.sg-tools button').addEventListener('click', () => this.playClip());
    this.clip.addEventListener('play', () => this.drawHead());
    this.plot.addEventListener('click', (event) => this.seekTo(event));
    new ResizeObserver(() => this.paint()).observe(this.plot);
    new MutationObserver(() => this.paint()).observe(document.body, { attributes: true, attributeFilter: ['class'] });
    onPlayhead(() => this.drawHead());
  }

  hide() {
    this.host.hidden = true;
    this.host.removeAttribute('data-filled');
    this.data = this.wanted = null;
    this.clip.pause();
  }

  /** A verdict on the sound's opening has come: what speaks for it? */
  follow(answer) {
    if (answer.top.length) this.ask(answer.top[0][0], answer.start);
  }

  /** Show a class's map in the clip that begins at `start`, asking the server where that is not at hand. */
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
    const place = this.find('.sg-wrong');
    [place.hidden, place.textContent] = [!text, text];
    this.host.toggleAttribute('data-wrong', Boolean(text));
  }

  /** What the clip is, in words, and what the map means for it. */
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
    for (const row of document.querySelectorAll('.sg-bars li')) {
      if (row.dataset.label === label) row.setAttribute('aria-current', 'true');
      else row.removeAttribute('aria-current');
    }
  }

  /** A button for each class whose map is at hand, and a list of all others. */
  choices() {
    const { probabilities, maps } = this.data;
    const box = this.find('.sg-choices');
    const focused = box.contains(document.activeElement) && document.activeElement.dataset.label;
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
    const select = element('<select></select>');
    select.setAttribute('aria-label', t('saliency.other'));
    select.append(new Option(t('saliency.other'), ''));
    const left = Object.keys(classNames).filter((label) => !this.data.maps[label]);
    for (const label of left.sort((a, b) => className(a).localeCompare(className(b), language))) {
      select.append(new Option(className(label), label));
    }
    select.addEventListener('change', () => { if (select.value) this.ask(select.value, this.data.asked); });
    return select;
  }

  area() {
    const { width, height } = this.plot.getBoundingClientRect();
    return {
      left: MARGIN.left, top: MARGIN.top,
      width: Math.max(1, width - MARGIN.left - MARGIN.right), height: Math.max(1, height - MARGIN.top - MARGIN.bottom),
    };
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

  /** The context of a canvas at the screen's own resolution, emptied. */
  fresh(canvas) {
    const ratio = Math.min(3, window.devicePixelRatio || 1);
    const { width, height } = this.plot.getBoundingClientRect();
    [canvas.width, canvas.height] = [Math.round(width * ratio), Math.round(height * ratio)];
    const context = canvas.getContext('2d');
    context.scale(ratio, ratio);
    return context;
  }

  paint() {
    if (!this.data || !this.plot.offsetParent) return;
    const { left, top, width, height } = this.area();
    const { levels, rows, columns, maps } = this.data;
    const strength = Number(this.slider.value) / 100;
    this.slider.setAttribute('aria-valuetext', `${this.slider.value} %`);
    const off = new OffscreenCanvas(columns, rows);
    off.getContext('2d').putImageData(heated(levels, maps[this.label], rows, columns, strength), 0, 0);
    const context = this.fresh(this.picture);
    context.imageSmoothingEnabled = false;
    context.drawImage(off, left, top, width, height);
    this.scales(context);
    this.mirrored(context);
    this.drawHead();
  }

  scales(context) {
    const { left, top, width, height } = this.area();
    const style = getComputedStyle(this.plot);
    context.fillStyle = style.color;
    context.font = `11px ${style.fontFamily}`;
    context.textBaseline = 'middle';
    context.textAlign = 'right';
    for (const [share, text] of this.marks(height)) {
      const y = top + (1 - share) * height;
      context.fillRect(left - 4, Math.round(y), 4, 1);
      context.fillText(text, left - 7, y);
    }
    context.fillText(t('page.freq_axis'), left - 7, top - 10);
    context.textAlign = 'center';
    context.textBaseline = 'top';
    const [first, last] = this.span();
    for (const [time, text] of timeTicks(first, last, width / 70)) {
      const x = this.xOf(time);
      context.fillRect(Math.round(x), top + height, 1, 4);
      if (x < left + width - 50) context.fillText(text, x, top + height + 7);
    }
    context.textAlign = 'right';
    context.fillText(t('page.time_axis'), left + width, top + height + 7);
  }

  /** Labels of the frequency axis: [share of the height, text]; band i of n lies around mel i + 1 of n + 1 steps. */
  marks(height) {
    const { low_hz: low, high_hz: high, mel_scale: scale, rows } = this.data;
    const [a, b] = [hzToMel(low, scale), hzToMel(high, scale)];
    const place = (hz) => (((hzToMel(hz, scale) - a) / (b - a)) * (rows + 1) - 0.5) / rows;
    const wanted = frequencyTicks(frequencyAxis('mel', low, high, scale), 'mel', 22 / height);
    return wanted.map((hz) => [place(hz), hz >= 1000 ? `${formatNumber(hz / 1000, hz % 1000 ? 1 : 0)}k` : formatNumber(hz)])
      .filter(([share]) => share >= 0 && share <= 1);
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

  drawHead() {
    if (!this.data || this.data.sound !== state.sound?.id || !this.plot.offsetParent) return;
    const playing = !this.clip.paused && !this.clip.ended;
    const time = playing ? this.data.start - this.data.before_s + this.clip.currentTime : audio.currentTime;
    const { left, top, width, height } = this.area();
    const x = this.xOf(time);
    const context = this.fresh(this.overlay);
    this.plot.dataset.playhead = x.toFixed(1);
    if (playing) requestAnimationFrame(() => this.drawHead());
    if (x < left - 1 || x > left + width + 1) return;
    context.fillStyle = 'rgb(0 0 0 / 55%)';
    context.fillRect(x - 1.5, top, 3, height);
    context.fillStyle = '#fff';
    context.fillRect(x - 0.5, top, 1, height);
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
