// Many files: chosen or dropped, sent one after the other, heard by the server, listed with what was heard when.

import { request, token } from '../core/rpc.js';
import { emit, events, showMessage, state } from '../core/state.js';
import { tForPointer, language, messagesReady, formatNumber, t } from '../lib/i18n.js';
import { fileTable } from './batch_table.js';
import { dropped } from '../core/dropped_files.js';
import { detections } from '../core/detections.js';
import { downloadButtons } from '../widgets/sortable_table.js';
import { openTab } from '../core/tabs.js';
import { guardUnload } from '../core/unload_guard.js';

const PASSING = ['offline', 'page.busy', 'page.session']; // refusals of the moment or the page, not of the file

const SKELETON = `
  <div class="sg-many">
    <p class="sg-strong"></p>
    <p class="sg-small sg-about-files"></p>
    <div class="sg-sources">
      <label class="sg-button sg-main sg-pick"><span></span><input type="file" multiple></label>
      <label class="sg-button sg-pick"><span></span><input type="file" webkitdirectory></label>
    </div>
    <p class="sg-small"></p>
  </div>
  <div class="sg-work" hidden>
    <label><span></span><select class="sg-hop"></select></label>
    <button type="button" class="sg-button sg-listen"></button>
    <button type="button" class="sg-button sg-clear"></button>
    <div class="sg-progress" role="progressbar" aria-valuemin="0"><i></i></div>
    <output class="sg-far" aria-live="off"></output>
  </div>
  <p class="sg-wrong" role="alert" hidden></p>
  <div class="sg-scroll sg-list" hidden><table class="sg-table"></table></div>
  <div class="sg-save" hidden></div>`;

export async function mount(root, { server, upload, trigger, watch, props }) {
  await messagesReady;
  new Batch(root, { server, upload, trigger, props }).wire(watch);
}

class Batch {
  constructor(root, { server, upload, trigger, props }) {
    Object.assign(this, { root, server, upload, trigger, props });
    // a file: { file, name, id, state: waiting|sending|sent|classifying|done|refused, share, and what the server said of it }
    Object.assign(this, { files: [], hop: 0.5, turn: Date.now(), stage: 'idle', taken: 0, sending: 0, error: null, fetching: null });
    this.host = root.querySelector('.sg-files');
    this.host.innerHTML = SKELETON;
    this.find = (selector) => this.host.querySelector(selector);
    this.words();
    this.table = fileTable(this.find('.sg-table'), openOne);
    this.unsaved = false; // whether rows came since the table was saved
    downloadButtons(this.find('.sg-save'), props.forms, (form) => this.file(form), (text) => showMessage(text));
    this.draw();
  }

  words() {
    const { limits } = this.props;
    this.find('.sg-many .sg-strong').textContent = tForPointer('batch.drop');
    this.find('.sg-about-files').textContent = t('batch.about');
    this.find('.sg-many .sg-small:last-child').textContent = t('batch.limits', {
      accepted: limits.accepted, files: limits.files, megabytes: formatNumber(limits.bytes / 1e6), all: formatNumber(limits.all_bytes / 1e9),
    });
    const [some, folder] = this.host.querySelectorAll('.sg-pick span');
    some.textContent = t('batch.choose');
    folder.textContent = t('batch.folder');
    this.find('.sg-work label span').textContent = t('timeline.hop');
    for (const hop of this.props.hops) this.find('.sg-hop').append(new Option(t(`timeline.hop_${100 * hop}`), hop));
    this.find('.sg-hop').value = this.hop;
    this.find('.sg-clear').textContent = t('batch.clear');
    this.find('.sg-progress').setAttribute('aria-label', t('batch.progress'));
  }

  wire(watch) {
    watch('value', () => this.take(this.props.value));
    const [some, folder] = this.host.querySelectorAll('.sg-pick input');
    for (const input of [some, folder]) {
      input.addEventListener('change', () => {
        const inFolder = input === folder;
        this.add([...input.files].map((file) => ({ file, name: file.webkitRelativePath || file.name, inFolder })));
        input.value = '';
      });
    }
    events.addEventListener('files', () => this.addDropped());
    this.addDropped();
    this.find('.sg-hop').addEventListener('change', (event) => this.changeHop(Number(event.target.value)));
    this.find('.sg-listen').addEventListener('click', () => (this.busy() ? this.stop() : this.go()));
    this.find('.sg-clear').addEventListener('click', () => this.clear());
    window.addEventListener('pagehide', () => { if (this.busy()) this.tell(this.server.stop); });
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

  /** Take what was dropped anywhere on the page. */
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

  /** Send what waits, then have heard what was not. */
  async go() {
    if (this.sending) return; // what was added meanwhile is sent in its turn
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
    if (!this.error) this.hear();
    else {
      this.stage = 'failed';
      this.draw();
    }
  }

  async send(one, turn) {
    one.state = 'sending';
    this.draw();
    try {
      const { path } = await this.upload(one.file);
      const { id } = await request(this.server.add_file, { path, name: one.name });
      if (this.files.includes(one)) Object.assign(one, { id, state: 'sent' });
    } catch (error) {
      const passing = !error.key || PASSING.includes(error.key);
      if (turn === this.turn && !passing) refuse(one, error.message);
      else one.state = 'waiting';
      if (turn !== this.turn || !passing) return;
      this.error = error.key ? error.message : t('page.offline'); // only the server's words are for people
    }
  }

  hear() {
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
    this.tell(this.server.stop);
    this.draw();
  }

  clear() {
    this.turn += 1;
    Object.assign(this, { files: [], taken: 0, sending: 0, stage: 'idle', error: null, unsaved: false });
    this.tell(this.server.clear);
    this.draw();
  }

  async file(form) {
    const file = await request(this.server.files_file, { form });
    this.unsaved = false;
    this.draw();
    return file;
  }

  tell(fn) {
    request(fn, { turn: this.turn }).catch((refusal) => console.info(refusal.message)); // the next question says it, too
  }

  async take(answer) {
    if (!answer || answer.turn !== this.turn) return; // of a run that nobody waits for any more
    if (answer.error) [this.stage, this.error] = ['failed', answer.error];
    for (const one of this.files) if (one.state === 'classifying') one.state = 'sent';
    const now = answer.now && this.files.find((one) => one.id === answer.now.id);
    if (now) Object.assign(now, { state: 'classifying', share: answer.now.seconds ? answer.now.done_s / answer.now.seconds : 0 });
    this.draw();
    if (answer.rows > this.taken) await this.fetch();
    if (answer.turn === this.turn && answer.stage && answer.stage !== 'working') {
      this.stage = answer.stage;
      this.draw();
      if (answer.stage === 'done' && this.files.some((one) => one.state === 'waiting')) this.go();
    }
  }

  /** Fetch the rows that are new; one fetch at a time. */
  fetch() {
    this.fetching ??= this.fetchAll().catch((refusal) => showMessage(refusal.message)).finally(() => { this.fetching = null; this.draw(); });
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
    this.find('.sg-work').hidden = this.find('.sg-list').hidden = !files.length;
    const finished = files.filter((one) => ['done', 'refused'].includes(one.state)).length;
    const busy = this.busy();
    const [button, bar] = [this.find('.sg-listen'), this.find('.sg-progress')];
    button.textContent = t(busy ? 'player.stop' : 'batch.go_on');
    button.hidden = !busy && finished === files.length;
    bar.hidden = !busy;
    const share = files.reduce((sum, one) => sum + (['done', 'refused'].includes(one.state) ? 1 : one.share), 0) / Math.max(1, files.length);
    bar.firstChild.style.width = `${100 * share}%`;
    bar.setAttribute('aria-valuemax', files.length);
    bar.setAttribute('aria-valuenow', finished);
    const refused = files.filter((one) => one.state === 'refused').length;
    const key = busy || finished < files.length ? 'batch.far' : 'batch.done';
    this.find('.sg-far').textContent = t(key, { done: finished, count: files.length }) + (refused ? ` · ${t('batch.refused', { refused })}` : '');
    const wrong = this.find('.sg-wrong');
    wrong.hidden = !this.error;
    wrong.textContent = this.error ?? '';
    guardUnload('files', busy || this.unsaved);
    this.table.show(files);
    this.find('.sg-save').hidden = busy || !files.some((one) => one.state === 'done');
  }
}

function refuse(one, error) {
  Object.assign(one, { state: 'refused', error });
}

function openOne(one) {
  emit('open', { name: one.name, request: { uploaded: one.id } });
  openTab('classify');
}
