// Mel spectrogram, STFT, MFCC and waveform: what differs from view to view.

import { ticks, hzToMel } from '../lib/frequency_axis.js';
import { messagesReady, formatNumber, t } from '../lib/i18n.js';
import { columnAt } from './plot.js';
import { Viewer } from './viewer.js';
import { decodeWaveform, maxAmplitude, paintWaveform } from './waveform_drawing.js';

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
    return decodeWaveform(answer);
  }

  overhang() {
    return 0; // the columns reach the edges
  }

  marks() {
    const limit = maxAmplitude();
    return ticks(-limit, limit, 6).map((value) => [(value / limit + 1) / 2, formatNumber(value, limit < 0.1 ? 3 : 2)]);
  }

  unit() {
    return t('viewer.amplitude');
  }

  levelScale() {} // no colours

  paint(context) {
    const style = getComputedStyle(this.host);
    this.within(context, () => paintWaveform(context, this.data, this.area(), (time) => this.xOf(time), style));
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
