// STFT, MFCC and waveform views: what differs from the mel spectrogram.

import { ticks } from '../lib/frequency_axis.js';
import { state } from '../core/state.js';
import { decodeBase64 } from '../lib/dom.js';
import { messagesReady, formatNumber, t } from '../lib/i18n.js';
import { Viewer } from './viewer.js';
import './plugins.js';

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
  static axes = [];

  /** All values: the display's range is in dB. */
  range() {
    return [this.data.low_db - this.data.high_db, 0];
  }

  nearestRows(height) {
    return Int32Array.from(this.fractionalRows(height), (row) => Math.round(row));
  }

  fractionalRows(height) {
    const { rows } = this.data;
    return Float32Array.from({ length: height }, (_, y) => (1 - (y + 0.5) / height) * rows - 0.5);
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
  static axes = [];

  showTexts() {
    super.showTexts();
    this.readout.textContent = t('viewer.wave_key');
  }

  decode(answer) {
    return { values: new Float32Array(decodeBase64(answer.envelope).buffer) };
  }

  overhang() {
    return 0; // the columns reach the edges
  }

  /** Amplitude at the upper edge: the sound's peak, rounded up. */
  reach() {
    const peak = state.sound.peak_db === null ? 0.01 : 10 ** (state.sound.peak_db / 20);
    return [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1].find((reach) => reach >= peak * 0.999) ?? peak;
  }

  marks() {
    const reach = this.reach();
    return ticks(-reach, reach, 6).map((value) => [(value / reach + 1) / 2, formatNumber(value, reach < 0.1 ? 3 : 2)]);
  }

  unit() {
    return t('viewer.amplitude');
  }

  levelScale() {} // no colours

  paint(context) {
    this.within(context, () => this.paintWave(context));
  }

  paintWave(context) {
    const { left, top, width, height } = this.area();
    const { values, columns, start, end } = this.data;
    const reach = this.reach();
    const y = (value) => top + (1 - (value / reach + 1) / 2) * height;
    const x = (column) => this.xOf(start + ((column + 0.5) / columns) * (end - start));
    const style = getComputedStyle(this.host);
    context.fillStyle = style.getPropertyValue('--sg-line');
    context.fillRect(left, y(0), width, 1);
    context.fillStyle = context.strokeStyle = style.getPropertyValue('--sg-accent');
    if (this.data.samples) this.paintSamples(context, x, y);
    else {
      const band = (top_, bottom, alpha) => {
        context.globalAlpha = alpha;
        for (let c = 0; c < columns; c++) {
          const [high, low] = [y(top_(c)), y(bottom(c))];
          context.fillRect(x(c) - 0.5, high, (width / columns) * ((end - start) / (state.visible.end - state.visible.start)) + 0.6,
            Math.max(1, low - high));
        }
      };
      band((c) => values[columns + c], (c) => values[c], 0.55);
      band((c) => values[2 * columns + c], (c) => -values[2 * columns + c], 1); // RMS
    }
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

  read() {
    this.drawOverlay();
    if (!this.current() || !this.pointer || !this.inside(this.pointer)) {
      this.readout.textContent = t('viewer.wave_key');
      return;
    }
    const { values, columns, start, end, samples } = this.data;
    const time = this.timeAt(this.pointer.x);
    const column = Math.max(0, Math.min(columns - 1, Math.floor(((time - start) / (end - start)) * columns)));
    const [low, high, rms] = [0, 1, 2].map((row) => values[row * columns + column]);
    const range = () => `${formatNumber(low, 3)} … ${formatNumber(high, 3)} · RMS ${formatNumber(rms, 3)}`;
    const amplitude = samples ? formatNumber(low, 5) : range();
    this.readout.textContent = `${formatNumber(time, 4)} ${t('page.unit_s')} · ${amplitude}`;
  }
}

const VIEWS = { mel: Viewer, stft: Stft, mfcc: Mfcc, wave: Wave };

export async function mount(root, { server, props }) {
  await messagesReady;
  new VIEWS[props.view](root.querySelector('.sg-viewer'), server, props.parameters);
}
