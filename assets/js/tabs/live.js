// The live tab: the microphone's sound as a scrolling spectrogram, its level, and what the network hears in it once a second.
// At the end the last minutes become the session's sound.

import { request, latestOnly } from '../core/rpc.js';
import { emit, audio, events, state } from '../core/state.js';
import { element } from '../lib/dom.js';
import { formatTime, messagesReady, t } from '../lib/i18n.js';
import { LivePredictions } from './live_predictions.js';
import { LevelMeter } from '../widgets/level_meter.js';
import { microphones, openMicrophone, microphoneError } from '../player/microphone.js';
import { waveIcon } from '../lib/thumbnails.js';
import { openTab } from '../core/tabs.js';
import { PcmBuffer } from '../lib/pcm_buffer.js';
import { guardUnload } from '../core/unload_guard.js';
import { KINDS, LiveSpectrogram } from './live_spectrogram.js';

const KEPT_MINUTES = 5;
const EVERY_S = 1; // between two questions to the network
const LEAST_S = 0.01; // shorter recordings are nothing
const GONE = ['page.session']; // refusals that asking again does not mend; so is all about the checkpoint

const SKELETON = `
  <div class="sg-live-controls">
    <button type="button" class="sg-button sg-listen"><svg viewBox="0 0 24 24" aria-hidden="true"><path></path></svg><span></span></button>
    <span class="sg-live-time" role="timer"></span>
    <label class="sg-device" hidden><span></span><select></select></label><span class="sg-device-name"></span>
    <label class="sg-live-axis"><span></span><select></select></label>
  </div>
  <div class="sg-message" role="alert" hidden><span></span></div>
  <div class="sg-kept" role="status" hidden><span></span><button type="button" class="sg-link" data-tab="mel"></button>
    <button type="button" class="sg-link" data-tab="classify"></button><a class="sg-link"></a></div>
  <div class="sg-live-stage">
    <div class="sg-live-picture">
      <div class="sg-waterfall"><canvas role="img"></canvas><div class="sg-empty"><p class="sg-strong"></p><p class="sg-small"></p></div></div>
      <div class="sg-live-meter"></div>
    </div>
    <section class="sg-live-classes"></section>
  </div>`;
const PILL = `<div class="sg-live-pill" role="group" hidden><button type="button" data-do="show"></button>
  <button type="button" data-do="stop"></button></div>`;
const SIGNS = {
  listen: 'M12 15a3.5 3.5 0 0 0 3.5-3.5v-5a3.5 3.5 0 0 0-7 0v5A3.5 3.5 0 0 0 12 15zM5 11h2a5 5 0 0 0 10 0h2a7 7 0 0 1-6 6.9V21h-2v-3.1A7 7 0 0 1 5 11z',
  stop: 'M6 6h12v12H6z',
};

export async function mount(root, { server, props }) {
  await messagesReady;
  const host = root.querySelector('.sg-live');
  new Live(host, server, props).rest();
}

class Live {
  constructor(host, server, props) {
    host.innerHTML = SKELETON;
    this.host = host;
    this.server = server;
    this.find = (selector) => host.querySelector(selector);
    this.waterfall = new LiveSpectrogram(this.find('.sg-waterfall'));
    this.meter = new LevelMeter(this.find('.sg-live-meter'));
    this.classes = new LivePredictions(this.find('.sg-live-classes'));
    this.microphone = this.tape = this.kept = this.clipSeconds = null;
    this.starting = false; // while the user is asked for the microphone
    this.asking = false; // whether the server is asked for classes
    this.hear = latestOnly(() => this.askServer());
    this.words();
    this.wire();
  }

  words() {
    const { find } = this;
    find('.sg-empty').prepend(waveIcon());
    find('.sg-empty .sg-strong').textContent = t('live.empty');
    find('.sg-empty .sg-small').textContent = t('live.hint', { minutes: KEPT_MINUTES });
    find('.sg-waterfall canvas').setAttribute('aria-label', t('live.picture'));
    find('.sg-device span').textContent = t('live.device');
    find('.sg-live-axis span').textContent = t('live.axis');
    find('.sg-live-axis select').append(...KINDS.map((kind) => new Option(t(`viewer.axis_${kind}`), kind)));
    find('.sg-live-classes').setAttribute('aria-label', t('page.tab_classify'));
    find('[data-tab=mel]').textContent = t('live.see');
    find('.sg-kept a').textContent = t('live.save');
    find('[data-tab=classify]').textContent = t('page.tab_classify');
  }

  wire() {
    const { find } = this;
    find('.sg-listen').addEventListener('click', () => (this.microphone ? this.stop() : this.start()));
    find('.sg-device select').addEventListener('change', (event) => this.change(event.target.value));
    const axis = find('.sg-live-axis select');
    axis.addEventListener('change', () => { this.waterfall.kind = axis.value; });
    const showAxis = () => { axis.value = this.waterfall.kind; };
    showAxis();
    events.addEventListener('display', showAxis);
    for (const link of this.host.querySelectorAll('.sg-kept button')) link.addEventListener('click', () => openTab(link.dataset.tab));
    this.pill = element(PILL); // it listens on while another tab is open: that is seen, and ended, everywhere
    document.querySelector('.gradio-container').append(this.pill);
    const [shows, stops] = this.pill.children;
    this.pill.setAttribute('aria-label', t('live.on'));
    stops.textContent = t('player.stop');
    shows.addEventListener('click', () => openTab('live'));
    stops.addEventListener('click', () => this.stop());
    events.addEventListener('sound', () => this.opened());
    events.addEventListener('unopened', ({ detail: { file } }) => {
      if (file === this.kept) this.offer(t('player.unopened', { name: file.name }));
    });
    navigator.mediaDevices?.addEventListener?.('devicechange', () => { if (this.microphone) this.devices(); });
  }

  /** To be called from a click. */
  async start() {
    if (this.starting) return;
    this.starting = true;
    const button = this.find('.sg-listen');
    button.setAttribute('aria-disabled', 'true'); // not `disabled`, which would take the focus from it
    this.tell('');
    this.forget();
    try {
      audio.pause();
      this.asking = true;
      this.classes.begin(t('classify.wait'));
      this.hear(); // the network is made ready meanwhile
      this.microphone = await openMicrophone((samples) => this.take(samples), () => this.stop(t('live.gone')));
      this.begin();
    } catch (error) {
      this.tell(microphoneError(error));
      this.rest();
    } finally {
      this.starting = false;
      button.removeAttribute('aria-disabled');
    }
  }

  begin() {
    const { rate } = this.microphone;
    guardUnload('live', true);
    this.tape = new PcmBuffer(rate, KEPT_MINUTES * 60);
    this.askedAt = 0;
    this.waterfall.begin(rate);
    this.meter.begin(rate);
    this.host.dataset.state = 'listening';
    this.button('stop');
    this.devices();
    const { tape } = this;
    const draw = (now) => {
      if (tape !== this.tape) return;
      const seen = this.host.offsetParent !== null;
      this.pill.hidden = seen;
      if (seen) this.draw(now);
      this.time();
      requestAnimationFrame(draw);
    };
    requestAnimationFrame(draw);
  }

  draw(now) {
    this.waterfall.scroll(now);
    this.meter.draw(now);
    this.classes.age(now);
  }

  time() {
    const text = formatTime(Math.floor(this.tape.received / this.tape.rate)).replace(/\..*/, '');
    const time = this.find('.sg-live-time');
    if (time.textContent === text) return;
    time.textContent = text;
    this.pill.firstChild.textContent = `${t('live.on')} ${text}`;
  }

  take(samples) {
    if (!this.tape) return; // the first ones, before all is set up
    this.tape.add(samples);
    this.waterfall.add(samples);
    this.meter.add(samples);
    if (this.tape.received - this.askedAt < EVERY_S * this.tape.rate) return;
    this.askedAt = this.tape.received; // the sound is the clock: timers are slowed down in pages out of sight
    if (this.asking) this.hear();
  }

  /** Ask what the last seconds are; the first time how long a clip is, too, which makes the server load the network. */
  async askServer() {
    try {
      this.clipSeconds ??= (await request(this.server.live_begin, {})).clip_seconds;
      const { tape } = this;
      if (!tape) return; // the user is still being asked for the microphone
      const samples = await base64(tape.last(Math.floor(this.clipSeconds * tape.rate)));
      const answer = await request(this.server.live_classify, { rate: tape.rate, samples });
      if (tape === this.tape) this.classes.draw(answer, performance.now());
    } catch (refusal) {
      if (this.asking) this.refuse(refusal);
    }
  }

  /** A slow or busy server is asked again a second later; what is shown stays, and its age is told. */
  refuse(refusal) {
    const off = refusal.key?.startsWith('checkpoint.') ?? false;
    if (off || GONE.includes(refusal.key)) this.asking = false;
    if (!this.asking || this.classes.answeredAt === Infinity) this.classes.refuse(refusal.message, off);
  }

  async devices() {
    const found = await microphones();
    if (!this.microphone) return;
    const [box, name] = [this.find('.sg-device'), this.find('.sg-device-name')];
    const several = found.length > 1;
    box.hidden = !several;
    name.hidden = several;
    name.textContent = this.microphone.name();
    if (!several) return;
    const select = box.querySelector('select');
    select.replaceChildren(...found.map(({ id, name: label }, i) => new Option(label || `${t('live.device')} ${i + 1}`, id)));
    select.value = this.microphone.device();
  }

  /** Go on listening by another device. */
  async change(device) {
    try {
      this.tell('');
      await this.microphone?.use(device);
    } catch (error) {
      this.tell(microphoneError(error));
    }
    if (this.microphone) await this.devices();
  }

  /** End, and make what was kept the session's sound; `why`: what ended it, where that was not the user. */
  async stop(why = '') {
    const { microphone, tape } = this;
    if (!microphone) return;
    this.microphone = this.tape = null;
    await microphone.close();
    guardUnload('live', false); // what was kept is held by the player
    this.waterfall.rest();
    this.meter.begin(microphone.rate);
    this.rest('stopped');
    if (why) this.tell(why);
    if (tape.length < LEAST_S * tape.rate) {
      this.tell(t('live.nothing'));
      return;
    }
    this.kept = tape.file('live');
    this.shortened = tape.received > KEPT_MINUTES * 60 * tape.rate;
    this.offer(t('live.opening'));
    emit('file', { file: this.kept });
  }

  /** Show what became of the recording; it can be saved even where the server is gone. */
  offer(text, open = false) {
    const box = this.find('.sg-kept');
    box.hidden = false;
    box.firstChild.textContent = text;
    for (const link of box.querySelectorAll('button')) link.hidden = !open;
    const save = box.querySelector('a');
    if (save.href) return;
    save.href = URL.createObjectURL(this.kept);
    save.download = this.kept.name;
  }

  /** Let go of the recording: another sound or another recording has taken its place. */
  forget() {
    const save = this.find('.sg-kept a');
    this.find('.sg-kept').hidden = true;
    URL.revokeObjectURL(save.href);
    save.removeAttribute('href');
    this.kept = null;
  }

  /** A sound has been opened: ours? */
  opened() {
    if (state.sound.name !== this.kept?.name) {
      this.forget();
      return;
    }
    const values = { length: formatTime(state.sound.seconds), minutes: KEPT_MINUTES };
    this.offer(t(this.shortened ? 'live.kept_last' : 'live.kept', values), true);
  }

  rest(name = 'idle') {
    this.asking = false;
    this.pill.hidden = true;
    this.host.dataset.state = name;
    this.button('listen');
    if (name === 'idle') this.classes.begin();
    this.find('.sg-device').hidden = true;
    this.find('.sg-device-name').hidden = name === 'idle';
  }

  button(what) {
    const button = this.find('.sg-listen');
    button.classList.toggle('sg-main', what === 'listen');
    button.toggleAttribute('data-on', what === 'stop');
    button.querySelector('path').setAttribute('d', SIGNS[what]);
    button.querySelector('span').textContent = t(what === 'stop' ? 'player.stop' : 'live.listen');
  }

  tell(text) {
    const box = this.find('.sg-message');
    box.hidden = !text;
    box.firstChild.textContent = text;
  }
}

/** 16-bit samples as base64 of little-endian bytes, the order of every machine that runs a browser; off the main thread. */
function base64(samples) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result.slice(reader.result.indexOf(',') + 1));
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(new Blob([samples]));
  });
}
