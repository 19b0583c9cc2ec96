// The choice of B: the open sound itself or a channel of it, an example, an upload or a recording.

import { channelChoices, channelName } from '../../core/channels.js';
import { readOtherwise } from '../../core/reading.js';
import { request } from '../../core/rpc.js';
import { state, timeFactor } from '../../core/state.js';
import { element } from '../../lib/dom.js';
import { className, formatNumber, t } from '../../lib/i18n.js';
import { offersFor } from '../../player/reading_offers.js';
import { RecordButton } from '../../player/record_button.js';

const CHANNEL = 'channel:'; // before a channel of A in the list

export class OtherSound {
  /** @type {any} the server's description of B; null: it is the open sound */
  sound = null;
  /** @type {any} the last one that is no example */
  own = null;
  opened = 0; // opens are numbered: the last one wins

  /** @param {any} tab */
  constructor(tab) {
    this.tab = tab;
    this.select = tab.find('.sg-other');
    this.select.append(new Option(t('compare.same_sound'), ''), new Option('', 'own'));
    this.ownOption = this.select.options[1];
    this.ownOption.hidden = true;
    this.select.append(...tab.props.examples.map((name) => new Option(className(name), name)));
    this.channels = element('<optgroup hidden></optgroup>');
    this.channels.label = t('compare.channels');
    this.select.append(this.channels);
    this.showChannels();
    this.select.addEventListener('change', () => this.choose(this.select.value));
    const input = tab.find('.sg-pick input');
    input.addEventListener('change', () => {
      this.openFile(input.files[0]);
      input.value = '';
    });
    this.offers = offersFor((changes) => this.readAs(changes), 'B');
    tab.find('.sg-compare-bar').after(...this.offers.lines);
    new RecordButton(/** @type {any} */ (this));
  }

  // what the record button needs
  find(selector) { return this.tab.find(selector); }

  on(...listener) { this.tab.on(...listener); }

  get signal() { return this.tab.signal; }

  message(text) { this.tab.showError(text); }

  openRecording(file) { return this.openFile(file); }

  choose(value) {
    this.opened += 1;
    if (!value) this.use(null);
    else if (value === 'own') this.use(this.own);
    else if (value.startsWith(CHANNEL)) this.openChannel(value.slice(CHANNEL.length));
    else this.open(className(value), { example: value });
  }

  /** Open another channel of A as B. */
  openChannel(channel) {
    const { id, name } = state.sound;
    this.open(`${name} · ${channelName(channel, state.sound)}`, { sound: id, channel });
  }

  /** Read B's file otherwise: it is no other sound, and stays where it is beside A. */
  readAs(changes) {
    const before = this.sound;
    this.open(before.name, readOtherwise(before, changes), ++this.opened, (sound) => {
      this.show(sound);
      this.tab.onReread(this.isOfA ? 1 : timeFactor(before, sound)); // A's own change has moved it
    });
  }

  /** Whether B is of A's file. */
  get isOfA() {
    return this.sound?.digest === state.sound?.digest;
  }

  /** A is another sound or read otherwise: so is a channel of it. */
  follow() {
    const { sound } = this;
    this.showOffers();
    if (!sound || !this.isOfA) return;
    const { full_scale, time_expansion } = state.sound;
    if (sound.full_scale !== full_scale || sound.time_expansion !== time_expansion) this.readAs({ full_scale, time_expansion });
  }

  /** Offer the channels of A. */
  showChannels() {
    const channels = state.sound ? channelChoices(state.sound) : [];
    this.channels.replaceChildren(...channels.map((channel) => new Option(channelName(channel, state.sound), CHANNEL + channel)));
    this.channels.hidden = !channels.length;
  }

  use(sound) {
    this.show(sound);
    this.tab.chooseOther(sound);
  }

  show(sound) {
    this.sound = sound;
    this.showOffers();
    this.showChoice();
  }

  showOffers() {
    this.offers.show(this.isOfA ? null : this.sound); // what A is offered holds for its channels
  }

  showChoice() {
    this.select.value = this.sound ? this.sound.example ?? 'own' : '';
  }

  /** Open a sound on the server; resolves to whether it is B now. */
  async open(name, query, turn = ++this.opened, use = (sound) => this.use(sound)) {
    this.tab.showBusy(t('player.opening', { name }));
    try {
      const opened = await request(this.tab.server.open_sound, query);
      if (this.isOld(turn)) return false;
      const sound = query.sound ? { ...opened, name } : opened;
      if (!sound.example) {
        this.own = sound;
        [this.ownOption.textContent, this.ownOption.hidden] = [sound.name, false];
      }
      use(sound);
      return true;
    } catch (error) {
      if (!this.isOld(turn)) this.fail(error.message);
      return false;
    }
  }

  async openFile(file) {
    if (!file) return false;
    const { name } = file;
    const limit = this.tab.props.most_bytes;
    if (file.size > limit) {
      const [megabytes, limit_mb] = [file.size, limit].map((bytes) => formatNumber(bytes / 1e6));
      this.fail(t('player.too_big', { name, megabytes, limit_mb }));
      return false;
    }
    const turn = ++this.opened;
    this.tab.showBusy(t('player.uploading', { name }));
    try {
      const { path } = await this.tab.upload(file);
      return !this.isOld(turn) && this.open(name, { path, name }, turn);
    } catch (error) {
      console.warn(error);
      if (!this.isOld(turn)) this.fail(t('page.offline'));
      return false;
    }
  }

  isOld(turn) {
    return this.signal.aborted || turn !== this.opened;
  }

  /** It could not be opened: say why; the one before stays. */
  fail(text) {
    this.showChoice();
    this.tab.showTitles();
    this.tab.showError(text);
  }
}
