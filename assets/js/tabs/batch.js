// Classification of many files: chosen or dropped, uploaded one after the other, classified by the server and listed.

import { dropped } from '../core/dropped_files.js';
import { request, token } from '../core/rpc.js';
import { emit, events, showMessage } from '../core/state.js';
import { openTab } from '../core/tabs.js';
import { guardUnload } from '../core/unload_guard.js';
import { Component, mounting } from '../lib/component.js';
import { formatNumber, language, t, tForPointer } from '../lib/i18n.js';
import { downloadButtons } from '../widgets/sortable_table.js';
import { fileTable } from './batch_table.js';
import { fillHops } from './hops.js';

const TRANSIENT = ['offline', 'page.busy', 'page.session']; // errors of the moment or the page, not of the file

const SKELETON = `
  <div class="sg-dropzone">
    <p class="sg-strong"></p>
    <p class="sg-small sg-about-files" data-t="batch.about"></p>
    <div class="sg-sources">
      <label class="sg-button sg-main sg-pick"><span data-t="batch.choose"></span><input type="file" multiple></label>
      <label class="sg-button sg-pick"><span data-t="batch.folder"></span><input type="file" webkitdirectory></label>
    </div>
    <p class="sg-small sg-limits"></p>
  </div>
  <div class="sg-job" hidden>
    <label><span data-t="timeline.hop"></span><select class="sg-hop"></select></label>
    <button type="button" class="sg-button sg-start-stop"></button>
    <button type="button" class="sg-button sg-clear" data-t="batch.clear"></button>
    <div class="sg-progress" role="progressbar" aria-valuemin="0" data-aria="batch.progress"><i></i></div>
    <output class="sg-progress-text" aria-live="off"></output>
  </div>
  <p class="sg-error" role="alert" hidden></p>
  <div class="sg-scroll sg-list" hidden><table class="sg-table"></table></div>
  <div class="sg-save" hidden></div>`;

/** @typedef {object} BatchFile a file and, once it is classified, the server's row for it
 * @property {File} file
 * @property {string} name
 * @property {string} [id] on the server
 * @property {string} state waiting, sending, sent, classifying, done or refused
 * @property {number} share of its length that is classified
 * @property {string | null} [error]
 */

class Batch extends Component {
  /** @type {BatchFile[]} */
  files = [];
  hop = 0.5; // of the windows, in clips
  turn = Date.now(); // counts runs: replies of earlier ones are ignored
  stage = 'idle';
  taken = 0; // rows of the server
  sending = 0; // the turn of the uploads under way
  /** @type {string | null} */
  error = null;
  /** @type {Promise<void> | null} */
  fetching = null;
  unsaved = false; // whether rows came since the table was saved

  constructor(host, context) {
    super(host, SKELETON);
    const { server, upload, trigger, props } = context;
    this.server = server;
    this.upload = upload;
    this.trigger = trigger;
    this.props = props;
    this.showLimits(props.limits);
    fillHops(this.find('.sg-hop'), props.hops, this.hop);
    this.table = fileTable(this.find('.sg-table'), openFile, this.signal);
    downloadButtons(this.find('.sg-save'), props.forms, (form) => this.file(form), showMessage);
    this.draw();
    this.onValue(context, (reply) => this.take(reply));
    this.on(this.find('.sg-sources'), 'change', ({ target: input }) => {
      const inFolder = input.webkitdirectory;
      this.add([...input.files].map((file) => ({ file, name: file.webkitRelativePath || file.name, inFolder })));
      input.value = '';
    });
    this.on(events, 'dropped', () => this.addDropped());
    this.addDropped();
    this.on(this.find('.sg-hop'), 'change', ({ target }) => this.changeHop(Number(target.value)));
    this.on(this.find('.sg-start-stop'), 'click', () => (this.busy() ? this.stop() : this.go()));
    this.on(this.find('.sg-clear'), 'click', () => this.clear());
    this.on(window, 'pagehide', () => { if (this.busy()) this.notify(server.stop); });
  }

  showLimits({ accepted, files, bytes, all_bytes: all }) {
    this.find('.sg-dropzone .sg-strong').textContent = tForPointer('batch.drop');
    this.find('.sg-limits').textContent = t('batch.limits', {
      accepted, files, megabytes: formatNumber(bytes / 1e6), all: formatNumber(all / 1e9),
    });
  }

  busy() {
    return this.stage === 'working' || this.sending > 0;
  }

  add(chosen) {
    const wanted = chosen.filter(({ name, inFolder }) => !inFolder || this.isSound(name));
    if (chosen.length && !wanted.length) showMessage(t('batch.none'), 'note');
    const { limits } = this.props;
    wanted.sort((one, other) => one.name.localeCompare(other.name, language, { numeric: true })); // as they are listed
    let bytes = this.files.reduce((sum, one) => sum + one.file.size, 0);
    for (const { file, name } of wanted) {
      if (this.files.length >= limits.files) {
        showMessage(t('batch.many', { limit: limits.files, left: wanted.length - wanted.findIndex((one) => one.file === file) }), 'note');
        break;
      }
      const one = { file, name, state: 'waiting', share: 0 };
      if (file.size > limits.bytes || bytes + file.size > limits.all_bytes) refuse(one, t('batch.big'));
      else bytes += file.size;
      this.files.push(one);
    }
    this.go();
  }

  /** Add the files that were dropped anywhere on the page. */
  async addDropped() {
    const { wanted } = dropped;
    dropped.wanted = null;
    if (!wanted) return;
    try {
      this.add(await wanted);
    } catch (error) {
      showMessage(t('batch.unread', { reason: error.message }));
    }
  }

  isSound(name) {
    const base = name.split('/').pop();
    return !base.startsWith('.') && this.props.endings.some((ending) => base.toLowerCase().endsWith(ending));
  }

  /** Upload the files that wait, then classify those that are not classified. */
  async go() {
    if (this.sending) return; // files added meanwhile follow
    const turn = ++this.turn;
    [this.stage, this.error] = ['sending', null];
    this.sending = turn;
    this.draw();
    for (let next; this.sending === turn && !this.error && (next = this.files.find((one) => one.state === 'waiting'));) {
      await this.send(next, turn);
      this.draw();
    }
    if (this.sending !== turn) return;
    this.sending = 0;
    if (!this.error) return this.classify();
    this.stage = 'failed';
    this.draw();
  }

  async send(one, turn) {
    one.state = 'sending';
    this.draw();
    try {
      const { path } = await this.upload(one.file);
      const { id } = await request(this.server.add_file, { path, name: one.name });
      if (this.files.includes(one)) Object.assign(one, { id, state: 'sent' });
    } catch (error) {
      const transient = !error.key || TRANSIENT.includes(error.key);
      if (turn === this.turn && !transient) refuse(one, error.message);
      else one.state = 'waiting';
      if (turn !== this.turn || !transient) return;
      this.error = error.key ? error.message : t('page.offline'); // only the server's messages are meant for users
    }
  }

  classify() {
    const ids = this.files.filter((one) => one.state === 'sent').map((one) => one.id);
    this.stage = ids.length ? 'working' : 'done';
    if (ids.length) this.trigger('classify_files', { token: token(), files: ids, hop: this.hop, turn: this.turn });
    this.draw();
  }

  changeHop(hop) {
    const was = this.busy();
    this.hop = hop;
    this.taken = 0;
    for (const one of this.files) if (one.id && one.state !== 'waiting') Object.assign(one, { state: 'sent', share: 0, error: null });
    if (was) this.stop();
    if (this.files.length) this.go();
  }

  stop() {
    this.turn += 1;
    [this.sending, this.stage] = [0, 'stopped'];
    for (const one of this.files) if (one.state === 'classifying') Object.assign(one, { state: 'sent', share: 0 });
    this.notify(this.server.stop);
    this.draw();
  }

  clear() {
    this.turn += 1;
    Object.assign(this, { files: [], taken: 0, sending: 0, stage: 'idle', error: null, unsaved: false });
    this.notify(this.server.clear);
    this.draw();
  }

  async file(form) {
    const file = await request(this.server.files_file, { form });
    this.unsaved = false;
    this.draw();
    return file;
  }

  /** Tell the server that a run has ended; the next run does so, too. */
  notify(fn) {
    request(fn, { turn: this.turn }).catch((error) => console.info(error.message));
  }

  async take(reply) {
    if (reply?.turn !== this.turn) return;
    if (reply.error) [this.stage, this.error] = ['failed', reply.error];
    for (const one of this.files) if (one.state === 'classifying') one.state = 'sent';
    const now = reply.now && this.files.find((one) => one.id === reply.now.id);
    if (now) Object.assign(now, { state: 'classifying', share: reply.now.seconds ? reply.now.done_s / reply.now.seconds : 0 });
    this.draw();
    if (reply.rows > this.taken) await this.fetch();
    if (reply.turn === this.turn && reply.stage && reply.stage !== 'working') {
      this.stage = reply.stage;
      this.draw();
      if (reply.stage === 'done' && this.files.some((one) => one.state === 'waiting')) this.go();
    }
  }

  /** Fetch the new rows; one fetch at a time. */
  fetch() {
    this.fetching ??= this.fetchAll().catch((error) => showMessage(error.message)).finally(() => { this.fetching = null; this.draw(); });
    return this.fetching;
  }

  async fetchAll() {
    for (;;) {
      const { turn } = this;
      const { rows } = await request(this.server.rows, { after: this.taken });
      if (turn !== this.turn || !rows.length) return;
      this.taken += rows.length;
      this.unsaved = true;
      for (const row of rows) {
        const one = this.files.find((file) => file.id === row.id);
        if (one && row.error) refuse(one, row.error);
        else if (one) Object.assign(one, row, { state: 'done' });
      }
    }
  }

  draw() {
    const { files } = this;
    this.host.dataset.stage = this.stage;
    this.find('.sg-job').hidden = this.find('.sg-list').hidden = !files.length;
    const [done, refused] = ['done', 'refused'].map((name) => files.filter(({ state }) => state === name).length);
    const finished = done + refused;
    const busy = this.busy();
    const [button, bar] = [this.find('.sg-start-stop'), this.find('.sg-progress')];
    button.textContent = t(busy ? 'player.stop' : 'batch.go_on');
    button.hidden = !busy && finished === files.length;
    bar.hidden = !busy;
    const begun = files.reduce((sum, one) => sum + (['done', 'refused'].includes(one.state) ? 0 : one.share), 0);
    bar.firstChild.style.width = `${(100 * (finished + begun)) / Math.max(1, files.length)}%`;
    [bar.ariaValueMax, bar.ariaValueNow] = [String(files.length), String(finished)];
    const key = busy || finished < files.length ? 'batch.far' : 'batch.done';
    this.find('.sg-progress-text').textContent = t(key, { done: finished, count: files.length }) + (refused ? ` · ${t('batch.refused', { refused })}` : '');
    const wrong = this.find('.sg-error');
    wrong.hidden = !this.error;
    wrong.textContent = this.error ?? '';
    guardUnload('files', busy || this.unsaved);
    this.table.setRows(files);
    this.find('.sg-save').hidden = busy || !done;
  }
}

function refuse(one, error) {
  Object.assign(one, { state: 'refused', error });
}

function openFile(one) {
  emit('open', { name: one.name, request: { uploaded: one.id } });
  openTab('classify');
}

export const mount = mounting('.sg-files', Batch);
