// The player: drop, choose, record or pick an example; play, pause, seek, loop; what the file holds.

import {
  ask, audio, bytesOf, clock, element, enter, events, followPlayhead, learn, number, say, seek, setSound, state,
  togglePlay, word,
} from './session.js';
import { LIMIT_MINUTES, record } from './recorder.js';
import { drawEnvelope } from './stills.js';

const ICONS = {
  play: '<path d="M7 4.5v15l12-7.5z"/>',
  pause: '<path d="M6 5h4v14H6zM14 5h4v14h-4z"/>',
  loop: '<path d="M17 3l4 4-4 4V8H7v4H5V6h12zM7 21l-4-4 4-4v3h10v-4h2v6H7z"/>',
  record: '<circle cx="12" cy="12" r="6.5"/>',
  file: '<path d="M12 3l5 5h-3.5v6h-3V8H7zM5 17h14v3H5z"/>',
};
const icon = (name) => `<svg viewBox="0 0 24 24" aria-hidden="true">${ICONS[name]}</svg>`;

export function mount(root, { server, upload, watch, props, files }) {
  learn(props.words);
  const ui = build(root, props);
  const admit = () => { if (props.value?.token) enter(props.value.token); };
  watch('value', admit);
  admit();

  let latest = 0; // opens are numbered: the last click wins, not the last answer
  const open = async (name, request, turn = ++latest) => {
    ui.busy(word('opening', { name }));
    try {
      const sound = await ask(server.open_sound, request);
      if (turn !== latest) return;
      audio.pause();
      audio.src = files + sound.path.split('/').map(encodeURIComponent).join('/');
      ui.message('');
      setSound(sound);
      if (sound.cut_off) say(word('cut_off', { name: sound.name }), 'note');
      else if (sound.silent && sound.peak_db > -60) say(word('cancels'), 'note');
    } catch (refusal) {
      if (turn === latest) say(refusal.message);
    } finally {
      if (turn === latest) ui.busy('');
    }
  };
  const openFile = async (file) => {
    if (!file) return;
    if (file.size > props.limits.bytes) { // the server would refuse it too, after all of it had travelled
      const megabytes = (bytes) => number(bytes / 1e6);
      say(word('too_big', { name: file.name, megabytes: megabytes(file.size), limit_mb: megabytes(props.limits.bytes) }));
      return;
    }
    const turn = ++latest;
    ui.busy(word('uploading', { name: file.name }));
    let sent;
    try {
      sent = await upload(file);
    } catch (error) {
      console.warn(error);
      if (turn !== latest) return;
      ui.busy('');
      say(word('offline'));
      return;
    }
    if (turn === latest) await open(file.name, { path: sent.path, name: file.name }, turn);
  };

  ui.input.addEventListener('change', () => {
    openFile(ui.input.files[0]);
    ui.input.value = '';
  });
  acceptDrops(root, openFile);
  for (const chip of ui.examples) {
    chip.addEventListener('click', () => open(chip.textContent, { example: chip.dataset.example }));
  }
  wireRecorder(ui, openFile);
  wireTransport(ui);
  events.addEventListener('sound', () => ui.showFacts(state.sound));
  events.addEventListener('message', ({ detail }) => ui.message(detail.text, detail.kind));
}

function build(root, props) {
  const host = root.querySelector('.sg-player');
  host.innerHTML = `
    <div class="sg-sources">
      <label class="sg-button sg-main">${icon('file')}<span></span><input type="file" class="sg-file"
        accept="audio/*,video/mp4,video/webm,.wav,.flac,.ogg,.opus,.mp3,.aif,.aiff,.m4a,.aac,.webm,.mp4,.mka"></label>
      <button type="button" class="sg-button sg-record">${icon('record')}<span></span></button>
      <span class="sg-meter" hidden><i></i></span>
      <span class="sg-hint"></span>
    </div>
    <div class="sg-examples" role="group"><span></span></div>
    <div class="sg-message" role="alert" hidden><span></span><button type="button">×</button></div>
    <div class="sg-deck" data-empty="true">
      <button type="button" class="sg-round sg-play" disabled>${icon('play')}</button>
      <div class="sg-strip" tabindex="0" role="slider" aria-valuemin="0" aria-valuenow="0">
        <canvas></canvas><div class="sg-window" hidden></div><div class="sg-head" hidden></div><p class="sg-drop"></p>
      </div>
      <button type="button" class="sg-round sg-loop" aria-pressed="false" disabled>${icon('loop')}</button>
      <output class="sg-time"></output>
    </div>
    <dl class="sg-facts"></dl>`;
  const find = (selector) => host.querySelector(selector);
  const ui = {
    host,
    input: find('.sg-file'),
    recordButton: find('.sg-record'),
    meter: find('.sg-meter'),
    hint: find('.sg-hint'),
    deck: find('.sg-deck'),
    play: find('.sg-play'),
    loop: find('.sg-loop'),
    strip: find('.sg-strip'),
    time: find('.sg-time'),
    examples: [],
  };
  find('.sg-main span').textContent = word('choose');
  find('.sg-record span').textContent = word('record');
  find('.sg-examples > span').textContent = word('examples');
  find('.sg-examples').setAttribute('aria-label', word('examples'));
  find('.sg-drop').innerHTML = '<b></b><small></small>';
  find('.sg-drop b').textContent = word('drop');
  find('.sg-drop small').textContent = word('drop_formats', {
    accepted: props.limits.accepted, megabytes: number(props.limits.bytes / 1e6), hours: number(props.limits.seconds / 3600),
  });
  find('.sg-message button').setAttribute('aria-label', word('close'));
  ui.hint.textContent = word('mic_hint');
  ui.time.textContent = `${clock(0)} / ${clock(0)}`;
  ui.play.setAttribute('aria-label', word('play'));
  ui.loop.setAttribute('aria-label', word('loop'));
  ui.loop.title = word('loop');
  ui.strip.setAttribute('aria-label', word('seek'));
  for (const [example, names] of Object.entries(props.examples)) {
    const chip = element('<button type="button" class="sg-chip"></button>');
    chip.dataset.example = example;
    chip.textContent = names[state.language];
    find('.sg-examples').append(chip);
    ui.examples.push(chip);
  }
  const message = find('.sg-message');
  ui.message = (text, kind = 'error') => {
    message.hidden = !text;
    message.dataset.kind = kind;
    message.querySelector('span').textContent = text;
  };
  message.querySelector('button').addEventListener('click', () => ui.message(''));
  ui.busy = (text) => {
    host.toggleAttribute('data-busy', Boolean(text));
    host.setAttribute('aria-busy', String(Boolean(text)));
    if (text) ui.message(text, 'busy');
    else if (message.dataset.kind === 'busy') ui.message('');
  };
  ui.showFacts = (sound) => showFacts(ui, find('.sg-facts'), sound);
  return ui;
}

function showFacts(ui, list, sound) {
  ui.deck.dataset.empty = 'false';
  ui.play.disabled = ui.loop.disabled = false;
  const channels = { 1: word('mono'), 2: word('stereo') }[sound.channels] ?? String(sound.channels);
  const level = (db) => (db === null ? word('silence') : `${number(db, 1)} dBFS`);
  const facts = [
    ['', sound.name],
    ['fact_length', clock(sound.seconds)],
    ['fact_rate', `${number(sound.sample_rate)} ${word('unit_hz')}`],
    ['fact_channels', channels],
    ['fact_peak', level(sound.peak_db)],
    ['fact_rms', level(sound.rms_db)],
    ['fact_format', sound.format],
  ];
  list.replaceChildren(...facts.map(([key, value]) => {
    const row = element('<div><dt></dt><dd></dd></div>');
    if (key) row.firstChild.textContent = word(key);
    else {
      row.className = 'sg-name';
      row.firstChild.className = 'sg-unseen';
      row.firstChild.textContent = word('fact_name');
    }
    row.lastChild.textContent = value;
    return row;
  }));
}

function acceptDrops(root, openFile) {
  // the whole page takes drops, so that a near miss does not make the browser leave the page
  const stop = (event) => event.preventDefault();
  let depth = 0;
  const mark = () => root.toggleAttribute('data-drag', depth > 0);
  window.addEventListener('dragover', stop);
  window.addEventListener('dragenter', (event) => { stop(event); depth += 1; mark(); });
  window.addEventListener('dragleave', () => { depth -= 1; mark(); });
  window.addEventListener('drop', (event) => {
    stop(event);
    depth = 0;
    mark();
    openFile(event.dataTransfer?.files[0]);
  });
}

function wireRecorder(ui, openFile) {
  let recording = null;
  let timer = 0;
  const label = ui.recordButton.querySelector('span');
  const stop = async (limit) => {
    const taken = recording;
    recording = null;
    clearInterval(timer);
    ui.recordButton.removeAttribute('data-on');
    label.textContent = word('record');
    ui.meter.hidden = true;
    ui.hint.textContent = word('mic_hint');
    await openFile(await taken.stop());
    if (limit) say(word('mic_limit', { minutes: LIMIT_MINUTES }), 'note');
  };
  ui.recordButton.addEventListener('click', async () => {
    if (recording) {
      await stop(false);
      return;
    }
    ui.recordButton.disabled = true;
    try {
      audio.pause();
      recording = await record((limit) => recording && stop(limit));
      ui.message('');
      ui.recordButton.dataset.on = 'true';
      label.textContent = word('stop');
      ui.meter.hidden = false;
      timer = setInterval(() => {
        const db = 20 * Math.log10(Math.max(1e-4, recording.level()));
        ui.meter.firstChild.style.width = `${Math.round(100 * (1 + db / 60))}%`;
        ui.hint.textContent = `${word('recording')} ${clock(recording.seconds())}`;
      }, 80);
    } catch (error) {
      const known = { NotAllowedError: 'mic_denied', SecurityError: 'mic_denied', NotFoundError: 'mic_missing' };
      say(word(known[error.name] ?? 'mic_failed', { reason: error.message }));
    } finally {
      ui.recordButton.disabled = false;
    }
  });
}

function wireTransport(ui) {
  const head = ui.strip.querySelector('.sg-head');
  const frame = ui.strip.querySelector('.sg-window');
  const canvas = ui.strip.querySelector('canvas');
  let envelope = null;
  const draw = () => { if (envelope) drawEnvelope(canvas, envelope); };
  const showWindow = () => {
    const { start, end } = state.shown;
    const total = state.sound.seconds;
    frame.hidden = end - start > total * 0.999;
    frame.style.left = `${(100 * start) / total}%`;
    frame.style.width = `${(100 * (end - start)) / total}%`;
  };
  const showHead = (now) => {
    if (!state.sound) return;
    head.hidden = false;
    head.style.left = `${Math.min(100, (100 * now) / state.sound.seconds)}%`;
    ui.time.textContent = `${clock(now)} / ${clock(state.sound.seconds)}`;
    ui.strip.setAttribute('aria-valuenow', now.toFixed(2));
    ui.strip.setAttribute('aria-valuetext', clock(now));
  };
  const showPlaying = () => {
    ui.play.innerHTML = icon(audio.paused ? 'play' : 'pause');
    ui.play.setAttribute('aria-label', word(audio.paused ? 'play' : 'pause'));
  };
  events.addEventListener('sound', () => {
    ui.strip.setAttribute('aria-valuemax', state.sound.seconds.toFixed(2));
    envelope = new Int8Array(bytesOf(state.sound.envelope).buffer);
    draw();
    showWindow();
    showHead(0);
  });
  events.addEventListener('shown', showWindow);
  new ResizeObserver(draw).observe(ui.strip);
  new MutationObserver(draw).observe(document.body, { attributes: true, attributeFilter: ['class'] }); // the theme
  audio.addEventListener('play', showPlaying);
  audio.addEventListener('pause', showPlaying);
  audio.addEventListener('error', () => { if (audio.currentSrc) say(word('play_failed'), 'note'); });
  followPlayhead(showHead);
  ui.play.addEventListener('click', togglePlay);
  ui.loop.addEventListener('click', () => {
    audio.loop = !audio.loop;
    ui.loop.setAttribute('aria-pressed', String(audio.loop));
  });
  const seekTo = (event) => {
    const box = ui.strip.getBoundingClientRect();
    seek(((event.clientX - box.left) / box.width) * (state.sound?.seconds ?? 0));
  };
  ui.strip.addEventListener('pointerdown', (event) => {
    if (!state.sound) return;
    ui.strip.setPointerCapture(event.pointerId);
    seekTo(event);
  });
  ui.strip.addEventListener('pointermove', (event) => { if (event.buttons) seekTo(event); });
  ui.strip.addEventListener('click', () => { if (!state.sound) ui.input.click(); });
  ui.strip.addEventListener('keydown', (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10 }[event.key];
    if (event.key === ' ') togglePlay();
    else if (event.key === 'Enter' && !state.sound) ui.input.click();
    else if (event.key === 'Home') seek(0);
    else if (event.key === 'End') seek(state.sound?.seconds ?? 0);
    else if (step) seek(audio.currentTime + (step * (state.sound?.seconds ?? 0)) / 100);
    else return;
    event.preventDefault();
  });
}
