// The player: opens dropped, chosen, recorded and example sounds, and lists the facts of the open one.

import { channelChoices, channelName, chosenChannel, openChannel } from '../core/channels.js';
import { request, setToken } from '../core/rpc.js';
import { audio, emit, events, play, seek, setSound, showMessage, state, timeFactor } from '../core/state.js';
import { guardUnload } from '../core/unload_guard.js';
import { Component } from '../lib/component.js';
import { saveFile } from '../lib/dom.js';
import { className, formatNumber, language, loadTexts, t, tForPointer } from '../lib/i18n.js';
import { icon } from '../lib/icons.js';
import { preparePaper } from '../lib/paper.js';
import { localStore, localStored } from '../lib/storage.js';
import { rovingTabs } from '../widgets/tab_list.js';
import { acceptDrops } from './drop_zone.js';
import { expansionOffer, levelOffer, scaleOffer } from './reading_offers.js';
import { showFacts } from './facts.js';
import { fileNavigation } from './file_navigation.js';
import { RecentSounds } from './recent_sounds.js';
import { RecordButton } from './record_button.js';
import { saveRecordingButton, unopenedLine } from './recordings.js';
import { Source } from './source.js';
import { transport } from './transport.js';

const WELCOMED = 'soundglass-welcomed'; // in the browser's storage once the welcome is closed

const SKELETON = `
  <a class="sg-skip" href="#main" data-t="page.skip"></a>
  <h1 class="sg-brand" data-t="page.title"></h1>
  <div class="sg-sources">
    <label class="sg-button sg-main" data-tip="player.choose_hint">${icon('file')}<span data-t="player.choose"></span>
      <input type="file" class="sg-file"
      accept="audio/*,video/mp4,video/webm,.wav,.flac,.ogg,.opus,.mp3,.aif,.aiff,.m4a,.aac,.webm,.mp4,.mka"></label>
    <button type="button" class="sg-button sg-record" data-tip="player.mic_hint">${icon('record')}<span
      data-t="player.record"></span></button>
    <span class="sg-meter" hidden><i></i></span><span class="sg-hint" hidden></span>
    <select class="sg-example" data-aria="player.sound" data-tip="player.examples"><option value="" hidden
      data-t="player.example"></option><optgroup></optgroup></select>
  </div>
  <div class="sg-transport"></div>
  <div class="sg-second-row">
    <p class="sg-welcome" hidden><span></span><button type="button" data-aria="page.close">×</button></p>
    <div class="sg-about-sound"><label class="sg-channel" data-tip="channels.hint" hidden><span data-t="channels.choice"></span>
      <select></select></label><dl class="sg-facts"></dl></div>
    <button type="button" class="sg-language" data-t="page.language" data-tip="page.language_hint"></button>
  </div>
  <div class="sg-message" role="alert" hidden><span></span><button type="button" data-aria="page.close">×</button></div>
  <div class="sg-unopened"></div>`;

/** The page's player; it brings the texts and the session that all other components wait for. */
class Player extends Component {
  opened = 0; // opens are numbered: the last click wins, not the last reply

  constructor(root, { server, upload, watch, props }) {
    super(root.querySelector('.sg-player'), SKELETON);
    this.server = server;
    this.source = new Source(audio, server, this.signal);
    this.upload = upload;
    this.limits = props.limits;
    const input = this.find('.sg-file');
    const openInput = () => {
      this.openFile(input.files[0]);
      input.value = '';
    };
    input.addEventListener('change', openInput);
    this.find('.sg-second-row').prepend(transport(this.find('.sg-transport'), () => input.click(), this.signal));
    this.find('.sg-drop b').textContent = tForPointer('player.drop');
    const { accepted, bytes, seconds } = props.limits;
    this.find('.sg-drop small').textContent = t('player.drop_formats', {
      accepted, megabytes: formatNumber(bytes / 1e6), hours: formatNumber(seconds / 3600),
    });
    this.find('.sg-skip').addEventListener('click', skip);
    this.examples = this.find('.sg-example');
    const switched = { en: 'ru', ru: 'en' }[language];
    this.find('.sg-language').lang = switched;
    this.find('.sg-language').addEventListener('click', () => {
      document.cookie = `${props.language_cookie}=${switched}; path=/; max-age=31536000; SameSite=Lax`;
      location.reload();
    });
    this.addExamples(props.examples);
    this.addRecentSounds();
    this.find('.sg-about-sound').prepend(fileNavigation(this.signal));
    this.find('.sg-message button').addEventListener('click', () => this.message(''));
    this.find('.sg-welcome button').addEventListener('click', () => {
      localStore(WELCOMED, true);
      this.welcome('');
    });
    acceptDrops(root, (file) => this.openFile(file), this.signal);
    this.signal.addEventListener('abort', () => document.body.removeAttribute('data-busy'));
    rovingTabs(this.signal);
    preparePaper(this.signal);
    new RecordButton(this);
    this.on(events, 'recorded', ({ detail }) => this.openRecording(detail.file));
    this.on(events, 'open', async ({ detail: { name, request: query, first, settled } }) => {
      if (first) return this.openFirst(name, query);
      const done = await this.open(name, query);
      settled?.(done);
    });
    this.on(events, 'sound', () => showFacts(this.find('.sg-facts'), state.sound));
    this.on(this.find('.sg-channel select'), 'change', ({ target }) => openChannel(target.value));
    this.find('.sg-unopened').before(levelOffer(this.signal), scaleOffer(this.signal), expansionOffer(this.signal));
    this.on(events, 'message', ({ detail }) => this.message(detail.text, detail.kind));
    const begin = (value) => { if (value?.token) setToken(value.token); };
    this.onValue({ watch, props }, begin);
    begin(props.value);
  }

  addExamples(examples) {
    const group = this.examples.querySelector('optgroup');
    group.label = t('player.examples');
    group.append(...examples.map((example) => new Option(className(example), example)));
    this.examples.addEventListener('change', () => this.choose(this.examples.value));
  }

  /** Open an example or a kept sound, or forget those. */
  async choose(value) {
    const digest = this.recent.digestOf(value);
    if (digest) this.reopen(digest);
    else if (await this.recent.forgetIf(value)) {
      this.markSound();
      showMessage(t('player.forgotten'), 'note');
    } else this.open(this.examples.selectedOptions[0].textContent, { example: value });
  }

  addRecentSounds() {
    this.recent = new RecentSounds(this.examples, this.signal);
    this.saving = saveRecordingButton(({ file }) => {
      saveFile([file], file.name, file.type);
      emit('recording_saved', { file });
    });
    this.find('.sg-about-sound').append(this.saving.button);
    this.on(events, 'recording_saved', ({ detail }) => guardUnload(detail.file, false));
    this.on(events, 'sound', () => this.saving.show(this.recent.opened.get(state.sound.digest) ?? null));
    this.on(events, 'reopen', ({ detail }) => this.reopen(detail.digest));
  }

  /** Open one of the last sounds again, by its digest. */
  async reopen(digest) {
    const turn = ++this.opened;
    const found = await this.recent.find(digest);
    if (this.signal.aborted || turn !== this.opened) return;
    if (!found) {
      this.settle();
      showMessage(t('player.kept_gone'), 'note');
    } else if (!found.file) this.open(found.name, { ...found.query, ...found.reading });
    else if (found.recording) this.openRecording(found.file, found.reading);
    else this.openFile(found.file, false, found.reading);
  }

  /** Remember the sound that is open now. */
  remember(more) {
    const { digest, name } = state.sound;
    this.recent.add({ digest, name, ...more });
    this.saving.show(this.recent.opened.get(digest));
  }

  /** Name the open sound in the list, an example or the user's own, and its channel. */
  markSound() {
    const own = this.examples.options[0];
    const { name, example } = state.sound ?? {};
    if (name && !example) own.textContent = name;
    this.examples.value = example ?? '';
    const [box, choices] = [this.find('.sg-channel'), state.sound ? channelChoices(state.sound) : []];
    box.hidden = !choices.length;
    box.firstElementChild.textContent = t(state.sound?.tracks > 1 ? 'channels.choice_track' : 'channels.choice');
    box.lastElementChild.replaceChildren(...choices.map((channel) => new Option(channelName(channel, state.sound), channel)));
    if (choices.length) box.lastElementChild.value = chosenChannel(state.sound);
  }

  /** Invite to try the page, with the example of a first visit; `name`: its name, or '' to stop. */
  welcome(name) {
    const box = this.find('.sg-welcome');
    box.hidden = !name || Boolean(localStored(WELCOMED));
    box.querySelector('span').textContent = tForPointer('player.welcome', { name });
  }

  /** Open a sound that is on the server; resolves to whether it is the open one now. */
  async open(name, query, turn = ++this.opened, first = false) {
    this.busy(t('player.opening', { name }), first);
    if (query.example) this.examples.value = query.example;
    try {
      const sound = await request(this.server.open_sound, query);
      if (turn !== this.opened) return false;
      const { paused } = audio;
      const now = query.sound ? audio.currentTime * timeFactor(state.sound, sound) : 0;
      this.source.open(sound);
      if (!first) this.message(''); // a link's notes stay
      this.welcome(first ? name : '');
      setSound(sound, Boolean(query.sound));
      if (query.uploaded) this.remember({ query });
      if (query.sound) {
        this.recent.readAs(sound);
        seek(now);
        if (!paused) play();
      }
      if (sound.notes.length) showMessage(`${sound.name}: ${sound.notes.join(' ')}`, 'note');
      return true;
    } catch (error) {
      if (turn === this.opened) showMessage(error.message);
      return false;
    } finally {
      if (turn === this.opened) this.settle();
      this.markSound();
    }
  }

  /** The last open has ended, whether or not that worked. */
  settle() {
    this.busy('');
    emit('opened');
  }

  /** Open the example of a first visit, unless a sound was chosen meanwhile. */
  openFirst(name, query) {
    if (!this.opened) this.open(name, query, ++this.opened, true);
  }

  /** Upload and open a file; resolves to whether its sound is the open one now. */
  async openFile(file, recording = false, reading = {}) {
    if (!file) return false;
    const { name } = file;
    if (file.size > this.limits.bytes) { // the server would refuse it too, after the whole upload
      const [megabytes, limit_mb] = [file.size, this.limits.bytes].map((bytes) => formatNumber(bytes / 1e6));
      showMessage(t('player.too_big', { name, megabytes, limit_mb }));
      return false;
    }
    const turn = ++this.opened;
    this.busy(t('player.uploading', { name }));
    try {
      const { path } = await this.upload(file);
      const opened = turn === this.opened && await this.open(name, { path, name, ...reading }, turn);
      if (opened) this.remember({ file, recording, reading });
      return opened;
    } catch (error) {
      console.warn(error);
      if (turn === this.opened) {
        this.settle();
        showMessage(t('page.offline'));
      }
      return false;
    }
  }

  /** Open a recording. The page asks before it is left until that is saved; one that is refused can be sent again. */
  async openRecording(file, reading = {}) {
    guardUnload(file, true);
    const opened = await this.openFile(file, true, reading);
    if (!opened) {
      this.find('.sg-unopened').append(unopenedLine(file, () => this.openRecording(file, reading)));
      emit('recording_failed', { file });
    }
    return opened;
  }

  message(text, kind = 'error') {
    const box = this.find('.sg-message');
    box.hidden = !text;
    box.dataset.kind = kind;
    box.querySelector('span').textContent = text;
  }

  /** Show that work goes on; `quiet`: without the text, which nobody waits for. */
  busy(text, quiet = false) {
    for (const one of [this.host, document.body]) one.toggleAttribute('data-busy', Boolean(text));
    this.host.setAttribute('aria-busy', String(Boolean(text)));
    if (!state.sound) this.find('.sg-deck').dataset.empty = String(!text); // the drop zone would come and go
    if (text && !quiet) this.message(text, 'busy');
    else if (this.find('.sg-message').dataset.kind === 'busy') this.message('');
  }
}

/** Move the focus to the view on screen, or to the open tab. */
function skip(event) {
  event.preventDefault();
  const parts = /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('.sg-plot, [role=tabpanel]'));
  const shown = [...parts].filter((part) => part.offsetParent);
  const main = shown.find((part) => part.matches('.sg-plot')) ?? shown[0];
  if (!main.hasAttribute('tabindex')) main.tabIndex = -1;
  main.focus();
}

export async function mount(root, context) {
  await loadTexts(context.props.texts[language]);
  return new Player(root, context);
}
