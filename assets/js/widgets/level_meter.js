// Level meter: peak and RMS in dBFS, with a peak hold.

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

const share = (db) => Math.max(0, Math.min(1, 1 - db / FLOOR_DB));

export class LevelMeter {
  constructor(host) {
    const root = element(`<div class="sg-level-meter">
      <div class="sg-level-meter-bar" role="meter" aria-valuemin="${FLOOR_DB}" aria-valuemax="0" data-aria="live.level">
        <i></i><b></b></div>
      <div class="sg-level-meter-scale" aria-hidden="true">
        ${MARKS_DB.map((db) => `<small style="left: ${100 * share(db)}%">${formatNumber(db)}</small>`).join('')}</div>
      <p><span></span><span></span><em data-t="live.clipped"></em></p></div>`);
    host.append(root);
    const [bar, , texts] = root.children;
    const [[cover, mark], [peak, rms, clip]] = [bar.children, texts.children];
    this.parts = { bar, cover, mark, peak, rms, clip };
    this.begin(48000);
  }

  begin(rate) {
    this.rate = rate;
    this.square = 0; // the mean one
    this.peak = 0; // since the last frame
    this.held = -Infinity;
    this.heldAt = this.drawnAt = 0;
    this.readAt = this.clippedAt = -Infinity;
    this.draw(0);
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
    this.parts.cover.style.transform = `scaleX(${(1 - share(rms)).toFixed(4)})`; // colours lie under it, at their levels
    this.parts.mark.style.left = `${(100 * share(this.held)).toFixed(2)}%`;
    this.parts.mark.hidden = !(this.held > FLOOR_DB);
    if (now - this.readAt < READ_MS) return;
    this.readAt = now;
    this.parts.bar.ariaValueNow = String(Math.round(Math.max(FLOOR_DB, Math.min(0, rms))));
    this.parts.clip.hidden = now - this.clippedAt > CLIPPED_MS;
    const text = (db) => (db > FLOOR_DB ? `${formatNumber(db, 1)} dBFS` : '– dBFS');
    this.parts.peak.textContent = `${t('player.fact_peak')} ${text(this.held)}`;
    this.parts.rms.textContent = `${t('player.fact_rms')} ${text(rms)}`;
  }
}
