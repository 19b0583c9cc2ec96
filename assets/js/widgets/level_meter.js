// A level meter: peak and RMS in dBFS, the peak held for a while so that it can be read.

import { element } from '../lib/dom.js';
import { formatNumber, t } from '../lib/i18n.js';

const FLOOR_DB = -70;
const MARKS_DB = [-60, -40, -20, 0];
const HOLD_MS = 1500;
const FALL_DB_S = 20; // after that
const RMS_S = 0.3; // the time constant of the mean
const CLIPPED = 0.999;
const CLIPPED_MS = 3000;
const READ_MS = 250; // between changes of the figures

export class LevelMeter {
  constructor(host) {
    host.append(element(`<div class="sg-loud">
      <div class="sg-loud-bar" role="meter" aria-valuemin="${FLOOR_DB}" aria-valuemax="0"><i></i><b></b></div>
      <div class="sg-loud-scale" aria-hidden="true"></div><p><span></span><span></span><em></em></p></div>`));
    host.querySelector('.sg-loud-scale').append(...MARKS_DB.map((db) => {
      const mark = element('<small></small>');
      mark.textContent = formatNumber(db);
      mark.style.left = `${100 * (1 - db / FLOOR_DB)}%`;
      return mark;
    }));
    [this.bar, this.cover, this.mark] = ['.sg-loud-bar', 'i', 'b'].map((selector) => host.querySelector(`.sg-loud ${selector}`));
    [this.peakText, this.rmsText] = host.querySelectorAll('.sg-loud span');
    this.clip = host.querySelector('.sg-loud em');
    this.clip.textContent = t('live.clipped');
    this.bar.setAttribute('aria-label', t('live.level'));
    this.begin(48000);
  }

  begin(rate) {
    this.rate = rate;
    this.square = 0; // the mean one
    this.peak = 0; // since the last frame
    this.held = -Infinity;
    this.heldAt = this.readAt = this.drawnAt = 0;
    this.clippedAt = -Infinity;
    this.bar.setAttribute('aria-valuenow', FLOOR_DB);
    this.show(-Infinity, -Infinity);
    this.read(-Infinity, -Infinity);
    this.clip.hidden = true;
  }

  add(samples) {
    let sum = 0;
    for (const value of samples) {
      sum += value * value;
      this.peak = Math.max(this.peak, Math.abs(value));
    }
    const kept = Math.exp(-samples.length / this.rate / RMS_S);
    this.square = kept * this.square + (1 - kept) * (sum / samples.length);
  }

  /** Show what has come by `now`, in ms. */
  draw(now) {
    const peak = 20 * Math.log10(this.peak);
    if (this.peak >= CLIPPED) this.clippedAt = now;
    this.peak = 0;
    const fallen = now - this.heldAt > HOLD_MS ? this.held - ((now - this.drawnAt) / 1000) * FALL_DB_S : this.held;
    if (peak >= fallen) this.heldAt = now;
    this.held = Math.max(peak, fallen);
    this.drawnAt = now;
    const rms = 10 * Math.log10(this.square);
    this.show(rms, this.held);
    if (now - this.readAt < READ_MS) return;
    this.readAt = now;
    this.read(rms, this.held);
    this.bar.setAttribute('aria-valuenow', Math.round(Math.max(FLOOR_DB, Math.min(0, rms))));
    this.clip.hidden = now - this.clippedAt > CLIPPED_MS;
  }

  show(rms, peak) {
    const share = (db) => Math.max(0, Math.min(1, 1 - db / FLOOR_DB));
    this.cover.style.transform = `scaleX(${(1 - share(rms)).toFixed(4)})`; // colours lie under it, at their levels
    this.mark.style.left = `${(100 * share(peak)).toFixed(2)}%`;
    this.mark.hidden = !(peak > FLOOR_DB);
  }

  read(rms, peak) {
    const text = (db) => (db > FLOOR_DB ? `${formatNumber(db, 1)} dBFS` : '– dBFS');
    this.peakText.textContent = `${t('player.fact_peak')} ${text(peak)}`;
    this.rmsText.textContent = `${t('player.fact_rms')} ${text(rms)}`;
  }
}
