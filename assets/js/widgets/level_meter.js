// Level meter: peak and RMS in dBFS, with a peak hold.

import { element, find } from '../lib/dom.js';
import { formatNumber, t } from '../lib/i18n.js';

const FLOOR_DB = -70;
const MARKS_DB = [-60, -40, -20, 0];
const HOLD_MS = 1500;
const FALL_DB_S = 20; // after that
const RMS_S = 0.3; // the time constant of the mean
const CLIPPED = 0.999;
const CLIPPED_MS = 3000;
const READ_MS = 250; // between changes of the figures

const share = (db) => Math.max(0, Math.min(1, 1 - db / FLOOR_DB));

export class LevelMeter {
  constructor(host) {
    const root = element(`<div class="sg-level-meter">
      <div class="sg-level-meter-bar" role="meter" aria-valuemin="${FLOOR_DB}" aria-valuemax="0" data-aria="live.level"><i></i><b></b></div>
      <div class="sg-level-meter-scale" aria-hidden="true"></div><p><span></span><span></span><em data-t="live.clipped"></em></p></div>`);
    host.append(root);
    root.querySelector('.sg-level-meter-scale').append(...MARKS_DB.map((db) => {
      const mark = element('<small></small>');
      mark.textContent = formatNumber(db);
      mark.style.left = `${100 * share(db)}%`;
      return mark;
    }));
    this.bar = find(root, '.sg-level-meter-bar');
    this.cover = find(root, 'i');
    this.mark = find(root, 'b');
    this.clip = find(root, 'em');
    this.texts = root.querySelectorAll('span');
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
    this.show(-Infinity);
    this.showFigures(-Infinity);
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

  /** Show the levels of the samples until `now`, in ms. */
  draw(now) {
    const peak = 20 * Math.log10(this.peak);
    if (this.peak >= CLIPPED) this.clippedAt = now;
    this.peak = 0;
    const fallen = now - this.heldAt > HOLD_MS ? this.held - ((now - this.drawnAt) / 1000) * FALL_DB_S : this.held;
    if (peak >= fallen) this.heldAt = now;
    this.held = Math.max(peak, fallen);
    this.drawnAt = now;
    const rms = 10 * Math.log10(this.square);
    this.show(rms);
    if (now - this.readAt < READ_MS) return;
    this.readAt = now;
    this.showFigures(rms);
    this.bar.setAttribute('aria-valuenow', Math.round(Math.max(FLOOR_DB, Math.min(0, rms))));
    this.clip.hidden = now - this.clippedAt > CLIPPED_MS;
  }

  show(rms) {
    this.cover.style.transform = `scaleX(${(1 - share(rms)).toFixed(4)})`; // colours lie under it, at their levels
    this.mark.style.left = `${(100 * share(this.held)).toFixed(2)}%`;
    this.mark.hidden = !(this.held > FLOOR_DB);
  }

  showFigures(rms) {
    const text = (db) => (db > FLOOR_DB ? `${formatNumber(db, 1)} dBFS` : '– dBFS');
    this.texts[0].textContent = `${t('player.fact_peak')} ${text(this.held)}`;
    this.texts[1].textContent = `${t('player.fact_rms')} ${text(rms)}`;
  }
}
