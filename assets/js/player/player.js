// The player: drop, choose, record or pick an example; what the file holds. transport.js plays it.

import { request, setToken } from '../core/rpc.js';
import { emit, audio, events, showMessage, setSound, state } from '../core/state.js';
import { element, fileUrl } from '../lib/dom.js';
import { className, formatTime, tForPointer, setMessages, formatNumber, t } from '../lib/i18n.js';
import { areMany, dropped, gather } from '../core/dropped_files.js';
import { microphoneError } from './microphone.js';
import { LIMIT_MINUTES, record } from './recorder.js';
import { openTab } from '../core/tabs.js';
import { icon, transport } from './transport.js';
import { guardUnload } from '../core/unload_guard.js';

export function mount(root, { server, upload, watch, props }) {
  setMessages(props.messages, props.class_names);
  const ui = build(root, props);
  const admit = () => { if (props.value?.token) setToken(props.value.token); };
  watch('value', admit);
  admit();

  let latest = 0; // opens are numbered: the last click wins, not the last answer
  const open = async (name, query, turn = ++latest) => {
    ui.busy(t('player.opening', { name }));
    try {
      const sound = await request(server.open_sound, query);
      if (turn !== latest) return false;
      audio.pause();
      audio.src = fileUrl(sound.url);
      ui.message('');
      setSound(sound);
      if (sound.cut_off) showMessage(t('player.cut_off', { name: sound.name }), 'note');
      else if (sound.silent && sound.peak_db !== null && sound.peak_db > -60) showMessage(t('player.cancels'), 'note');
      return true;
    } catch (refusal) {
      if (turn === latest) showMessage(refusal.message);
      return false;
    } finally {
      if (turn === latest) ui.busy('');
    }
  };
  /** Resolves to whether the file's sound is the open one now. */
  const openFile = async (file) => {
    if (!file) return false;
    if (file.size > props.limits.bytes) { // the server would refuse it too, after all of it had travelled
      const megabytes = (bytes) => formatNumber(bytes / 1e6);
      showMessage(t('player.too_big', { name: file.name, megabytes: megabytes(file.size), limit_mb: megabytes(props.limits.bytes) }));
      return false;
    }
    const turn = ++latest;
    ui.busy(t('player.uploading', { name: file.name }));
    let sent;
    try {
      sent = await upload(file);
    } catch (error) {
      console.warn(error);
      if (turn !== latest) return false;
      ui.busy('');
      showMessage(t('page.offline'));
      return false;
    }
    return turn === latest && open(file.name, { path: sent.path, name: file.name }, turn);
  };
  /** Open what was recorded, which nobody else has; until that has worked it can be saved, and sent again. */
  const openRecording = async (file) => {
    guardUnload(file, true);
    const opened = await openFile(file);
    if (opened) guardUnload(file, false);
    else {
      ui.unopened.append(unopened(file, openRecording));
      emit('unopened', { file });
    }
    return opened;
  };

  ui.input.addEventListener('change', () => {
    openFile(ui.input.files[0]);
    ui.input.value = '';
  });
  acceptDrops(root, openFile);
  events.addEventListener('file', ({ detail }) => openRecording(detail.file)); // the live tab has made one
  events.addEventListener('open', ({ detail }) => open(detail.name, detail.request)); // or has one on the server
  for (const chip of ui.examples) {
    chip.addEventListener('click', () => open(chip.textContent, { example: chip.dataset.example }));
  }
  wireRecorder(ui, openRecording);
  events.addEventListener('sound', () => showFacts(ui.host.querySelector('.sg-facts'), state.sound));
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
    <div class="sg-unopened"></div>
    <div class="sg-transport"></div>
    <dl class="sg-facts"></dl>`;
  const find = (selector) => host.querySelector(selector);
  const ui = {
    host,
    input: find('.sg-file'),
    recordButton: find('.sg-record'),
    meter: find('.sg-meter'),
    hint: find('.sg-hint'),
    unopened: find('.sg-unopened'),
    examples: [],
  };
  find('.sg-main span').textContent = t('player.choose');
  find('.sg-record span').textContent = t('player.record');
  find('.sg-examples > span').textContent = t('player.examples');
  find('.sg-examples').setAttribute('aria-label', t('player.examples'));
  transport(find('.sg-transport'), () => ui.input.click());
  find('.sg-drop b').textContent = tForPointer('player.drop');
  find('.sg-drop small').textContent = t('player.drop_formats', {
    accepted: props.limits.accepted, megabytes: formatNumber(props.limits.bytes / 1e6), hours: formatNumber(props.limits.seconds / 3600),
  });
  find('.sg-message button').setAttribute('aria-label', t('page.close'));
  ui.hint.textContent = t('player.mic_hint');
  for (const example of props.examples) {
    const chip = element('<button type="button" class="sg-chip"></button>');
    chip.dataset.example = example;
    chip.textContent = className(example);
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
  return ui;
}

/** A line for a recording that could not be opened: save it, try again, or let it go. */
function unopened(file, open) {
  const line = element(`<p><span></span><a class="sg-link"></a><button type="button" class="sg-link"></button>
    <button type="button">×</button></p>`);
  const [text, save, again, close] = line.children;
  text.textContent = t('player.unopened', { name: file.name });
  [save.textContent, save.href, save.download] = [t('live.save'), URL.createObjectURL(file), file.name];
  again.textContent = t('page.retry');
  close.setAttribute('aria-label', t('player.discard', { name: file.name }));
  const leave = () => {
    line.remove();
    URL.revokeObjectURL(save.href);
  };
  save.addEventListener('click', () => guardUnload(file, false));
  again.addEventListener('click', () => { leave(); open(file); });
  close.addEventListener('click', () => { leave(); guardUnload(file, false); });
  return line;
}

function showFacts(list, sound) {
  const channels = { 1: t('player.mono'), 2: t('player.stereo') }[sound.channels] ?? String(sound.channels);
  const level = (db) => (db === null ? t('page.silence') : `${formatNumber(db, 1)} dBFS`);
  const facts = [
    ['', sound.name],
    ['player.fact_length', formatTime(sound.seconds)],
    ['player.fact_rate', `${formatNumber(sound.sample_rate)} ${t('page.unit_hz')}`],
    ['player.fact_channels', channels],
    ['player.fact_peak', level(sound.peak_db)],
    ['player.fact_rms', level(sound.rms_db)],
    ['player.fact_format', sound.format],
  ];
  list.replaceChildren(...facts.map(([key, value]) => {
    const row = element('<div><dt></dt><dd></dd></div>');
    if (key) row.firstChild.textContent = t(key);
    else {
      row.className = 'sg-name';
      row.firstChild.className = 'sg-unseen';
      row.firstChild.textContent = t('player.fact_name');
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
    if (areMany(event.dataTransfer)) {
      dropped.wanted = gather(event.dataTransfer);
      openTab('files');
      emit('files');
    } else openFile(event.dataTransfer?.files[0]);
  });
}

function wireRecorder(ui, open) {
  let recording = null;
  let asking = false; // for the microphone
  let timer = 0;
  const label = ui.recordButton.querySelector('span');
  const stop = async (limit) => {
    const taken = recording;
    recording = null;
    clearInterval(timer);
    ui.recordButton.removeAttribute('data-on');
    label.textContent = t('player.record');
    ui.meter.hidden = true;
    ui.hint.textContent = t('player.mic_hint');
    const file = await taken.stop();
    const opening = open(file);
    guardUnload('recording', false); // its file is held now
    if ((await opening) && limit) showMessage(t('player.mic_limit', { minutes: LIMIT_MINUTES }), 'note');
  };
  ui.recordButton.addEventListener('click', async () => {
    if (recording) {
      await stop(false);
      return;
    }
    if (asking) return;
    asking = true;
    ui.recordButton.setAttribute('aria-disabled', 'true'); // not `disabled`, which would take the focus from it
    try {
      audio.pause();
      recording = await record((limit) => recording && stop(limit));
      guardUnload('recording', true);
      ui.message('');
      ui.recordButton.dataset.on = 'true';
      label.textContent = t('player.stop');
      ui.meter.hidden = false;
      timer = setInterval(() => {
        const db = 20 * Math.log10(Math.max(1e-4, recording.level()));
        ui.meter.firstChild.style.width = `${Math.round(100 * (1 + db / 60))}%`;
        ui.hint.textContent = `${t('player.recording')} ${formatTime(recording.seconds())}`;
      }, 80);
    } catch (error) {
      showMessage(microphoneError(error));
    } finally {
      asking = false;
      ui.recordButton.removeAttribute('aria-disabled');
    }
  });
}
