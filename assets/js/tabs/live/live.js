// The live tab: a scrolling spectrogram of the microphone, its level, and the most likely classes once a second.

import { answerName } from '../../core/network.js';
import { latestOnly, request } from '../../core/rpc.js';
import { audio, events } from '../../core/state.js';
import { openTab } from '../../core/tabs.js';
import { guardUnload } from '../../core/unload_guard.js';
import { Component, mounting } from '../../lib/component.js';
import { element, encodeBase64, textElement } from '../../lib/dom.js';
import { formatTime, t } from '../../lib/i18n.js';
import { icon } from '../../lib/icons.js';
import { PcmBuffer } from '../../lib/pcm_buffer.js';
import { waveIcon } from '../../lib/thumbnails.js';
import { microphoneError, microphones, openMicrophone } from '../../player/microphone.js';
import { LevelMeter } from '../../widgets/level_meter.js';
import { LivePredictions } from './predictions.js';
import { LiveRecording } from './recording.js';
import { KINDS, LiveSpectrogram } from './spectrogram.js';
import { networkSwitch } from '../teach/network_switch.js';

const KEPT_MINUTES = 5;
const EVERY_S = 1; // between two requests to the network
const LEAST_S = 0.01; // shorter recordings are empty
const FINAL = ['page.session']; // errors that a retry does not fix; so are all about the checkpoint

const SKELETON = `
  <div class="sg-live-controls">
    <button type="button" class="sg-button sg-start-stop"></button>
    <span class="sg-live-time" role="timer"></span>
    <label class="sg-device" hidden><span data-t="live.device"></span><select></select></label>
    <span class="sg-device-name"></span>
    <label class="sg-live-axis"><span data-t="live.axis"></span><select></select></label>
  </div>
  <div class="sg-network-place"></div>
  <div class="sg-message" role="alert" hidden><span></span></div>
  <div class="sg-recording" role="status" hidden></div>
  <div class="sg-live-stage">
    <div class="sg-live-image">
      <div class="sg-waterfall"><canvas role="img" data-aria="live.picture"></canvas>
        <div class="sg-empty"><p class="sg-strong" data-t="live.empty"></p></div></div>
      <div class="sg-live-meter"></div>
      <p class="sg-small" data-t="live.reference"></p>
    </div>
    <div class="sg-live-answers"><section class="sg-live-classes" data-aria="page.tab_classify"></section>
      <section class="sg-live-classes" data-aria="teach.answer_app" hidden></section></div>
  </div>`;
const PILL = `<div class="sg-live-pill" role="group" data-aria="live.on" hidden><button type="button" data-do="show"></button>
  <button type="button" data-do="stop" data-t="player.stop"></button></div>`;

class Live extends Component {
  /** @type {Awaited<ReturnType<typeof openMicrophone>> | null} */
  microphone = null;
  /** @type {PcmBuffer | null} */
  buffer = null;
  clipSeconds = 0; // the length of a clip, from the server
  networks = 0; // counts changes of the network: replies about earlier ones are ignored
  requestedAt = 0; // samples received before the last request
  changing = false; // while the microphone is opened or closed: clicks do nothing
  classifying = false; // whether requests are sent

  constructor(host, { server }) {
    super(host, SKELETON);
    this.server = server;
    this.spectrogram = new LiveSpectrogram(this.find('.sg-waterfall'), this.signal);
    this.meter = new LevelMeter(this.find('.sg-live-meter'));
    this.recording = new LiveRecording(this.find('.sg-recording'), KEPT_MINUTES, this.signal);
    const [first, second] = [...this.host.querySelectorAll('.sg-live-classes')];
    this.predictions = new LivePredictions(first);
    this.second = new LivePredictions(second); // of the second network in use
    this.classify = latestOnly(() => this.classifyNow());
    this.find('.sg-empty').prepend(waveIcon());
    this.find('.sg-empty').append(textElement('p', t('live.hint', { minutes: KEPT_MINUTES }), 'sg-small'));
    this.addPill();
    this.wire();
    this.rest();
  }

  wire() {
    this.on(this.find('.sg-start-stop'), 'click', () => (this.microphone ? this.stop() : this.start()));
    this.on(this.find('.sg-device select'), 'change', ({ target }) => this.changeDevice(target.value));
    const axis = this.find('.sg-live-axis select');
    axis.append(...KINDS.map((kind) => new Option(t(`viewer.axis_${kind}`), kind)));
    const showAxis = () => { axis.value = this.spectrogram.kind; };
    showAxis();
    this.on(axis, 'change', () => { this.spectrogram.kind = axis.value; });
    this.on(events, 'display', showAxis);
    this.on(events, 'network', () => {
      this.networks += 1;
      this.clipSeconds = 0;
      this.second.host.hidden = true;
      this.second.begin();
    });
    networkSwitch(this.find('.sg-network-place'), this.signal);
    if (navigator.mediaDevices) this.on(navigator.mediaDevices, 'devicechange', () => this.showDevices());
  }

  /** Add the pill that shows in other tabs that the microphone is on, and stops it. */
  addPill() {
    this.pill = element(PILL);
    document.querySelector('.gradio-container').append(this.pill);
    const [show, stop] = this.pill.children;
    show.addEventListener('click', () => openTab('live'));
    stop.addEventListener('click', () => this.stop());
  }

  destroy() {
    this.microphone?.close();
    this.microphone = this.buffer = null;
    guardUnload('live', false);
    this.pill.remove();
    super.destroy();
  }

  /** Start listening; to be called from a click. */
  async start() {
    if (this.changing) return;
    this.setChanging(true);
    this.message('');
    this.recording.forget();
    try {
      audio.pause();
      this.classifying = true;
      this.predictions.begin(t('classify.wait'));
      this.classify(); // the server loads the network meanwhile
      this.microphone = await openMicrophone((samples) => this.take(samples), () => this.stop(t('live.gone')));
      if (this.signal.aborted) this.destroy();
      else this.begin();
    } catch (error) {
      this.message(microphoneError(error));
      this.rest();
    } finally {
      this.setChanging(false);
    }
  }

  setChanging(changing) {
    this.changing = changing;
    const button = this.find('.sg-start-stop');
    if (button) button.ariaDisabled = changing ? 'true' : null; // not `disabled`, which would take the focus from it
  }

  begin() {
    const { rate } = this.microphone;
    guardUnload('live', true);
    this.buffer = new PcmBuffer(rate, KEPT_MINUTES * 60);
    this.requestedAt = 0;
    this.spectrogram.begin(rate);
    this.meter.begin(rate);
    this.host.dataset.state = 'listening';
    this.showButton(true);
    this.showDevices();
    const { buffer } = this;
    requestAnimationFrame((now) => this.draw(now, buffer));
  }

  /** Show what has come, in each frame until a buffer is replaced. */
  draw(now, buffer) {
    if (buffer !== this.buffer) return;
    requestAnimationFrame((next) => this.draw(next, buffer));
    this.pill.hidden = this.onScreen;
    this.showTime();
    if (!this.onScreen) return;
    this.spectrogram.scroll(now);
    this.meter.draw(now);
    for (const answer of [this.predictions, this.second]) answer.age(now);
  }

  showTime() {
    const text = formatTime(Math.floor(this.buffer.received / this.buffer.rate)).replace(/\..*/, '');
    const time = this.find('.sg-live-time');
    if (time.textContent === text) return;
    time.textContent = text;
    this.pill.firstChild.textContent = `${t('live.on')} ${text}`;
  }

  take(samples) {
    if (!this.buffer) return; // the first ones, before all is set up
    this.buffer.add(samples);
    this.spectrogram.add(samples);
    this.meter.add(samples);
    if (this.buffer.received - this.requestedAt < EVERY_S * this.buffer.rate) return;
    this.requestedAt = this.buffer.received; // the sound is the clock: browsers slow down timers in hidden pages
    if (this.classifying) this.classify();
  }

  /** Classify the last seconds; the first time request the length of a clip, for which the server loads the network. */
  async classifyNow() {
    const { networks } = this;
    const isOld = () => networks !== this.networks;
    try {
      const seconds = this.clipSeconds || (await request(this.server.live_begin, {})).clip_seconds;
      if (isOld()) return;
      this.clipSeconds = seconds;
      const { buffer } = this;
      if (!buffer) return; // the user is still being asked for the microphone
      const samples = await encodeBase64(buffer.last(Math.floor(this.clipSeconds * buffer.rate)));
      const reply = await request(this.server.live_classify, { rate: buffer.rate, samples });
      if (buffer === this.buffer && !isOld()) this.show(reply);
    } catch (error) {
      if (this.classifying && !isOld()) this.fail(error);
    }
  }

  show(reply) {
    const { second } = reply;
    this.second.host.hidden = !second;
    this.predictions.draw(reply, performance.now(), second ? answerName(false) : '');
    if (second) this.second.draw(second, performance.now(), answerName(true));
  }

  /** Show an error that is final; after others, the next request follows and the age of the last reply shows. */
  fail(error) {
    const off = error.key?.startsWith('checkpoint.') ?? false;
    if (off || FINAL.includes(error.key)) this.classifying = false;
    if (!this.classifying || this.predictions.receivedAt === Infinity) this.predictions.fail(error.message, off);
  }

  async showDevices() {
    if (!this.microphone) return;
    const found = await microphones();
    if (!this.microphone) return;
    const [box, name, select] = ['.sg-device', '.sg-device-name', '.sg-device select'].map((part) => this.find(part));
    name.hidden = found.length > 1;
    box.hidden = !name.hidden;
    name.textContent = this.microphone.track?.label ?? '';
    select.replaceChildren(...found.map(({ id, name: label }, i) => new Option(label || `${t('live.device')} ${i + 1}`, id)));
    select.value = this.microphone.track?.getSettings?.().deviceId ?? '';
  }

  /** Continue with another device. */
  async changeDevice(device) {
    try {
      this.message('');
      await this.microphone?.use(device);
    } catch (error) {
      this.message(microphoneError(error));
    }
    await this.showDevices();
  }

  /** Stop, and open the recording as the session's sound; `why` is what ended it, unless it was the user. */
  async stop(why = '') {
    const { microphone, buffer } = this;
    if (!microphone || this.changing) return;
    this.setChanging(true);
    this.microphone = this.buffer = null;
    await microphone.close();
    guardUnload('live', false); // the player guards the recording
    this.spectrogram.rest();
    this.meter.begin(microphone.rate);
    this.rest('stopped');
    this.setChanging(false);
    if (why) this.message(why);
    if (buffer.length < LEAST_S * buffer.rate) this.message(t('live.nothing'));
    else this.recording.keep(buffer.file('live'), buffer.received > KEPT_MINUTES * 60 * buffer.rate);
  }

  rest(stage = 'idle') {
    this.classifying = false;
    this.pill.hidden = true;
    this.host.dataset.state = stage;
    this.showButton(false);
    if (stage === 'idle') {
      this.second.host.hidden = true;
      for (const answer of [this.predictions, this.second]) answer.begin();
    }
    this.find('.sg-device').hidden = true;
    this.find('.sg-device-name').hidden = stage === 'idle';
  }

  showButton(on) {
    const button = this.find('.sg-start-stop');
    button.classList.toggle('sg-main', !on);
    button.toggleAttribute('data-on', on);
    button.innerHTML = `${icon(on ? 'stop' : 'microphone')}<span>${t(on ? 'player.stop' : 'live.listen')}</span>`;
  }

  message(text) {
    const box = this.find('.sg-message');
    box.hidden = !text;
    box.firstChild.textContent = text;
  }
}

export const mount = mounting('.sg-live', Live);
