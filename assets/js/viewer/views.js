// Mel spectrogram, STFT, MFCC and waveform: what differs from view to view.

import { channelName } from '../core/channels.js';
import { state } from '../core/state.js';
import { ticks, hzToMel } from '../lib/frequency_axis.js';
import { messagesReady, formatHz, formatNumber, t } from '../lib/i18n.js';
import { columnAt } from './plot.js';
import { SecondView } from './second_view.js';
import { Viewer } from './viewer.js';
import { decodeWaveform, drawTag, maxAmplitude, paintWaveform } from './waveform_drawing.js';

/** Mel spectrogram. */
export class Mel extends Viewer {
  static view = 'mel';
  static axes = ['mel', 'linear', 'log', 'bark'];

  reading(share, row, value) {
    const hz = this.axis().hz(share);
    return `${formatHz(hz)} · ${formatNumber(hzToMel(hz, this.data.mel_scale), 1)} mel · ${value} ${this.levelUnit()}`;
  }
}

export class Stft extends Viewer {
  static view = 'stft';
  static axes = ['linear', 'log', 'mel', 'bark'];

  position(share) {
    return { hz: this.axis().hz(share) };
  }

  reading(share, row, value) {
    return `${formatHz(this.axis().hz(share))} · ${value} ${this.levelUnit()}`;
  }
}

export class Mfcc extends Viewer {
  static view = 'mfcc';

  /** All values: the display's range is in dB. */
  range() {
    return [this.data.low_db - this.data.high_db, 0];
  }

  rowFinder() {
    return (share) => Math.min(this.data.rows - 1, Math.floor(share * this.data.rows));
  }

  positionFinder() {
    return (share) => share * this.data.rows - 0.5;
  }

  unit() {
    return t('viewer.row_number');
  }

  marks(height) {
    const { rows } = this.data;
    const step = Math.max(1, Math.ceil((16 * rows) / height));
    return Array.from({ length: Math.ceil(rows / step) }, (_, i) => [(i * step + 0.5) / rows, formatNumber(i * step + 1)]);
  }

  levelUnit() {
    return '';
  }

  position(share, row) {
    return { band: row + 1, cepstrum: this.data.request.cepstrum }; // coefficient 0 is not shown
  }

  reading(share, row, value) {
    return `${t('viewer.coefficient')} ${row + 1} · ${value}`;
  }
}

class Wave extends Viewer {
  static view = 'wave';

  get hint() {
    return t('viewer.wave_key');
  }

  query() {
    return { ...super.query(), channels: state.sound.channels_drawn };
  }

  decode(answer) {
    return decodeWaveform(answer);
  }

  covers() {
    return false; // closer up there are more samples
  }

  /** The channels that are drawn one above the other; of a single one or too many samples: one. */
  get lanes() {
    const { channels, values, columns } = this.data;
    if (!channels.length) return [{ name: '', values }];
    const each = 3 * columns;
    return Object.keys(state.sound.channels_db).map((name, index) =>
      ({ name: channelName(name), values: channels.subarray(index * each, (index + 1) * each) }));
  }

  overhang() {
    return 0; // the columns reach the edges
  }

  marks(height) {
    const [limit, count] = [maxAmplitude(), this.lanes.length];
    const values = ticks(-limit, limit, Math.max(2, Math.min(6, height / count / 24)));
    const inner = count > 1 ? values.filter((value) => Math.abs(value) < limit) : values; // those of neighbours would meet
    return this.lanes.flatMap((_, lane) => inner.map((value) =>
      [1 - (lane + (1 - value / limit) / 2) / count, formatNumber(value, limit < 0.1 ? 3 : 2)]));
  }

  unit() {
    return t('viewer.amplitude');
  }

  levelScale() {} // no colours

  paint(context) {
    const style = getComputedStyle(this.host);
    const { lanes, data } = this;
    const area = this.area();
    const height = area.height / lanes.length;
    this.within(context, () => lanes.forEach(({ name, values }, lane) => {
      const top = area.top + lane * height;
      paintWaveform(context, { ...data, values }, { ...area, top, height: height - 1 }, (time) => this.xOf(time), style);
      if (lane) this.separate(context, top, style);
      drawTag(context, name, area.left + 6, top + 6, style);
    }));
  }

  separate(context, top, style) {
    context.globalAlpha = 1;
    context.fillStyle = style.getPropertyValue('--sg-line');
    context.fillRect(0, Math.round(top) - 1, this.plot.clientWidth, 1);
  }

  readLevel(at) {
    const { lanes, data: { columns, samples } } = this;
    const time = this.timeAt(at.x);
    const { top, height } = this.area();
    const { name, values } = lanes[Math.max(0, Math.min(lanes.length - 1, Math.floor(((at.y - top) / height) * lanes.length)))];
    const [low, high, rms] = [0, 1, 2].map((row) => values[row * columns + columnAt(this.data, time)]);
    const range = () => `${formatNumber(low, 3)} … ${formatNumber(high, 3)} · RMS ${formatNumber(rms, 3)}`;
    const parts = [`${formatNumber(time, 4)} ${t('page.unit_s')}`, name, samples ? formatNumber(low, 5) : range()];
    this.readout.textContent = parts.filter(Boolean).join(' · ');
  }
}

const VIEWS = { mel: Mel, stft: Stft, mfcc: Mfcc, wave: Wave };

export async function mount(root, { server, props }) {
  await messagesReady;
  new SecondView(new VIEWS[props.view](root.querySelector('.sg-viewer'), server, props.parameters), VIEWS);
}
