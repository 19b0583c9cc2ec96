// The saliency map over the network's input: image, axes and playhead on two canvases.

import { audio, onPlayhead, seek, state } from '../core/state.js';
import {
  MARGIN, drawPlayhead, drawTimeAxis, drawVerticalAxis, frequencyLabel, plotArea, prepareCanvas,
} from '../lib/canvas_axes.js';
import { onResize, onThemeChange } from '../lib/dom.js';
import { frequencyAxis, frequencyTicks, hzToMel } from '../lib/frequency_axis.js';
import { heated } from '../lib/heatmap.js';
import { t } from '../lib/i18n.js';
import { timeTicks } from '../lib/time_axis.js';

const MARGINS = { ...MARGIN, left: 46, right: 8 };

export class SaliencyMap {
  /** @type {any} the clip that is shown, as the server sent it, with its levels and maps decoded */
  data = null;
  label = ''; // the class that is shown
  strength = 0; // of the map, 0 to 1
  chosen = -1; // region whose button is pointed at or has the focus

  /**
   * @param {any} plot element with two canvases, the image's and the playhead's
   * @param {HTMLAudioElement} clip
   * @param {AbortSignal} signal
   */
  constructor(plot, clip, signal) {
    this.plot = plot;
    this.clip = clip;
    this.image = plot.children[0];
    this.overlay = plot.children[1];
    plot.addEventListener('click', (event) => this.seekTo(event));
    onResize(plot, () => this.draw(), signal);
    onThemeChange(() => this.draw(), signal);
    onPlayhead(() => this.drawHead(), signal);
    onPlayhead(() => this.drawHead(), signal, clip);
  }

  area() {
    return plotArea(this.plot.getBoundingClientRect(), MARGINS);
  }

  /** Seconds of the sound at the left and the right edge; frames are centred on their times. */
  span() {
    const { start, before_s: before, columns, hop_s: hop } = this.data;
    return [start - before - hop / 2, start - before + (columns - 0.5) * hop];
  }

  /** Where a time lies on the time axis, as a share of its length. */
  shareOf(time) {
    const [first, last] = this.span();
    return (time - first) / (last - first);
  }

  draw() {
    if (!this.data || !this.plot.offsetParent) return;
    const area = this.area();
    const { levels, rows, columns, maps } = this.data;
    const off = new OffscreenCanvas(columns, rows);
    off.getContext('2d').putImageData(heated(levels, maps[this.label], rows, columns, this.strength), 0, 0);
    const context = prepareCanvas(this.image, this.plot.getBoundingClientRect());
    context.imageSmoothingQuality = 'high';
    context.drawImage(off, area.left, area.top, area.width, area.height);
    const [first, last] = this.span();
    const times = timeTicks(first, last, area.width / 70);
    const shares = times.marks.map(([time, text]) => [this.shareOf(time), text]);
    drawVerticalAxis(context, area, getComputedStyle(this.plot), this.marks(area.height), t('page.freq_axis'));
    drawTimeAxis(context, area, shares, { right: MARGINS.right, name: times.name });
    this.drawOutlines(context, area);
    this.drawMirrored(context, area);
    this.drawHead();
  }

  /** The outlines of the regions, numbered as in their list; the chosen one is stronger. */
  drawOutlines(context, area) {
    const { rows, columns } = this.data;
    context.save();
    context.beginPath();
    context.rect(area.left, area.top, area.width, area.height);
    context.clip();
    context.lineJoin = 'round';
    for (const [number, { outlines }] of this.regions().entries()) {
      context.beginPath();
      for (const outline of outlines) {
        for (const [i, [frame, band]] of outline.entries()) {
          const x = area.left + ((frame + 0.5) / columns) * area.width;
          const y = area.top + (1 - (band + 0.5) / rows) * area.height;
          if (i) context.lineTo(x, y);
          else context.moveTo(x, y);
        }
      }
      const strokes = /** @type {[string, number][]} */ ([['rgb(0 0 0 / 65%)', 4], ['#fff', number === this.chosen ? 3 : 1.6]]);
      for (const [style, width] of strokes) { // visible on every colour
        context.strokeStyle = style;
        context.lineWidth = width;
        context.stroke();
      }
    }
    context.restore();
  }

  /** The regions of the shown class. @returns {any[]} */
  regions() {
    return this.data.regions[this.label] ?? [];
  }

  /** Ticks [share of the height, text] of the frequency axis; band i of n lies around mel i + 1 of n + 1 steps. */
  marks(height) {
    const { low_hz: low, high_hz: high, mel_scale: scale, rows } = this.data;
    const [a, b] = [hzToMel(low, scale), hzToMel(high, scale)];
    const shareOf = (hz) => (((hzToMel(hz, scale) - a) / (b - a)) * (rows + 1) - 0.5) / rows;
    const labelled = frequencyTicks(frequencyAxis('mel', low, high, scale), 'mel', 22 / height);
    return labelled.map((hz) => [shareOf(hz), frequencyLabel(hz)]).filter(([share]) => Number(share) >= 0 && Number(share) <= 1);
  }

  /** Dashed lines at the ends of a sound or interval shorter than the clip; beyond them it was mirrored. */
  drawMirrored(context, { left, top, width, height }) {
    if (this.data.fit !== 'padded') return;
    context.fillStyle = '#fff';
    for (const time of [this.data.start, this.data.start + this.data.own_s]) {
      const x = Math.round(left + this.shareOf(time) * width);
      for (let y = top; y < top + height; y += 8) context.fillRect(x, y, 1, 4);
    }
  }

  drawHead() {
    if (!this.data || this.data.sound !== state.sound?.id || !this.plot.offsetParent) return;
    const playing = !this.clip.paused && !this.clip.ended;
    const time = playing ? this.data.start - this.data.before_s + this.clip.currentTime : audio.currentTime;
    const area = this.area();
    const context = prepareCanvas(this.overlay, this.plot.getBoundingClientRect());
    drawPlayhead(context, area, area.left + this.shareOf(time) * area.width);
  }

  seekTo(event) {
    if (!this.data) return;
    const [first, last] = this.span();
    const { left, width } = this.area();
    const share = (event.clientX - this.plot.getBoundingClientRect().left - left) / width;
    if (share >= 0 && share <= 1) seek(Math.min(Math.max(0, first + share * (last - first)), state.sound.seconds));
  }
}
