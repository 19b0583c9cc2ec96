// Mel spectrogram, STFT, MFCC and waveform: what differs from view to view.

import { ticks, hzToMel } from '../lib/frequency_axis.js';
import { state } from '../core/state.js';
import { decodeBase64 } from '../lib/dom.js';
import { messagesReady, formatNumber, t } from '../lib/i18n.js';
import { columnAt } from './plot.js';
import { Viewer } from './viewer.js';

/** Mel spectrogram. */
export class Mel extends Viewer {
  static view = 'mel';
  static axes = ['mel', 'linear', 'log', 'bark'];

  reading(share, row, value) {
    const hz = this.axis().hz(share);
    return `${formatNumber(hz)} ${t('page.unit_hz')} · ${formatNumber(hzToMel(hz, this.data.mel_scale), 1)} mel · ` +
      `${value} ${this.levelUnit()}`;
  }
}

class Stft extends Viewer {
  static view = 'stft';
  static axes = ['linear', 'log', 'mel', 'bark'];

  position(share) {
    return { hz: this.axis().hz(share) };
  }

  reading(share, row, value) {
    return `${formatNumber(this.axis().hz(share))} ${t('page.unit_hz')} · ${value} ${this.levelUnit()}`;
  }
}

class Mfcc extends Viewer {
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

  decode(answer) {
    return { values: new Float32Array(decodeBase64(answer.envelope).buffer) };
  }

  overhang() {
    return 0; // the columns reach the edges
  }

  /** Amplitude at the upper edge: the sound's peak, rounded up. */
  maxAmplitude() {
    const peak = state.sound.peak_db === null ? 0.01 : 10 ** (state.sound.peak_db / 20);
    return [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1].find((limit) => limit >= peak * 0.999) ?? peak;
  }

  marks() {
    const limit = this.maxAmplitude();
    return ticks(-limit, limit, 6).map((value) => [(value / limit + 1) / 2, formatNumber(value, limit < 0.1 ? 3 : 2)]);
  }

  unit() {
    return t('viewer.amplitude');
  }

  levelScale() {} // no colours

  paint(context) {
    const { left, top, width, height } = this.area();
    const { values, columns, start, end, samples } = this.data;
    const limit = this.maxAmplitude();
    const y = (value) => top + (1 - (value / limit + 1) / 2) * height;
    const x = (column) => this.xOf(start + ((column + 0.5) / columns) * (end - start));
    const wide = x(1) - x(0) + 0.6;
    const bars = (alpha, highOf, lowOf) => {
      context.globalAlpha = alpha;
      for (let c = 0; c < columns; c++) {
        const high = y(highOf(c));
        context.fillRect(x(c) - 0.5, high, wide, Math.max(1, y(lowOf(c)) - high));
      }
    };
    const style = getComputedStyle(this.host);
    context.fillStyle = style.getPropertyValue('--sg-line');
    context.fillRect(left, y(0), width, 1);
    context.fillStyle = context.strokeStyle = style.getPropertyValue('--sg-accent');
    this.within(context, () => {
      if (samples) return this.paintSamples(context, x, y);
      bars(0.55, (c) => values[columns + c], (c) => values[c]);
      bars(1, (c) => values[2 * columns + c], (c) => -values[2 * columns + c]); // RMS
    });
  }

  paintSamples(context, x, y) {
    const { values, columns } = this.data;
    context.lineWidth = 1.5;
    context.beginPath();
    for (let c = 0; c < columns; c++) context.lineTo(x(c), y(values[c]));
    context.stroke();
    if (columns > 120) return;
    for (let c = 0; c < columns; c++) {
      context.beginPath();
      context.arc(x(c), y(values[c]), 2.5, 0, 2 * Math.PI);
      context.fill();
    }
  }

  readLevel(at) {
    const { values, columns, samples } = this.data;
    const time = this.timeAt(at.x);
    const [low, high, rms] = [0, 1, 2].map((row) => values[row * columns + columnAt(this.data, time)]);
    const range = () => `${formatNumber(low, 3)} … ${formatNumber(high, 3)} · RMS ${formatNumber(rms, 3)}`;
    this.readout.textContent = `${formatNumber(time, 4)} ${t('page.unit_s')} · ${samples ? formatNumber(low, 5) : range()}`;
  }
}

const VIEWS = { mel: Mel, stft: Stft, mfcc: Mfcc, wave: Wave };

export async function mount(root, { server, props }) {
  await messagesReady;
  new VIEWS[props.view](root.querySelector('.sg-viewer'), server, props.parameters);
}
