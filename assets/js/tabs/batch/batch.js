// Classification of many files: chosen or dropped, uploaded one after the other, classified by the server and listed.

import { MEAN, channelName } from '../../core/channels.js';
import { setFileList } from '../../core/file_list.js';
import { dropped } from '../../core/dropped_files.js';
import { request, token } from '../../core/rpc.js';
import { events, showMessage } from '../../core/state.js';
import { guardUnload } from '../../core/unload_guard.js';
import { mounting } from '../../lib/component.js';
import { formatNumber, language, t, tForPointer } from '../../lib/i18n.js';
import { downloadButtons } from '../../widgets/sortable_table.js';
import { addPart, openFile, refuse } from './batch_file.js';
import { FileLabels } from './file_labels.js';
import { FileFilter } from './filter.js';
import { classText, fileColumns, fileTable } from './table.js';
import { Job, controls } from '../job.js';
import { networkSwitch } from '../teach/network_switch.js';

const TRANSIENT = ['offline', 'page.busy', 'page.session']; // errors of the moment or the page, not of the file
const CLEAR = '<button type="button" class="sg-button sg-clear" data-t="batch.clear"></button>';
const EACH = 'each';
const CHANNEL = '<label><span data-t="channels.choice"></span><select class="sg-batch-channel"></select></label>';
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
  <div class="sg-network-place"></div>
  <div class="sg-job" hidden>${CHANNEL}${controls('batch.progress', CLEAR)}</div>
  <p class="sg-error" role="alert" hidden></p>
  <div class="sg-filter-place"></div>
  <div class="sg-scroll sg-list" hidden><table class="sg-table"></table></div>
  <div class="sg-save" hidden></div>
  <div class="sg-save-labels" hidden></div>`;

/** @typedef {import('./batch_file.js').BatchFile} BatchFile */

class Batch extends Job {
  /** @type {BatchFile[]} */
  files = [];
  taken = 0; // rows of the server
  channel = MEAN;
  error = '';
  /** @type {Promise<void> | null} */
  fetching = null;
  unsaved = false; // whether rows came since the table was saved

  constructor(host, context) {
    super(host, SKELETON, context);
    this.upload = context.upload;
    this.showLimits(this.props.limits);
    this.labels = new FileLabels(() => this.draw(), this.signal);
    const countLabels = (one) => this.labels.count(one);
    this.table = fileTable(this.find('.sg-table'), (one) => openFile(one, 'classify'), countLabels, this.signal);
    this.table.turned = () => this.listFiles();
    this.find('.sg-list').prepend(this.table.orders(t('batch.order')));
    this.on(events, 'sound', () => this.table.show()); // which of them is open
    const searched = (one) => [one.name, ...[one, one.second].filter(Boolean).map(({ overall }) => classText({ overall, state: one.state }))].join('\n');
    this.filter = new FileFilter(this.find('.sg-filter-place'), searched, (one) => countLabels(one) > 0, () => this.draw());
    const choice = this.find('.sg-batch-channel');
    choice.append(...this.props.channels.map((name) => new Option(name === EACH ? t('batch.each_channel') : channelName(name), name)));
    this.on(choice, 'change', () => {
      this.channel = choice.value;
      this.changeHop();
    });
    downloadButtons(this.find('.sg-save'), this.props.forms, (form) => this.file(form), showMessage, 'batch.save_results');
    const forms = this.props.forms.filter((form) => form !== 'excel');
    downloadButtons(this.find('.sg-save-labels'), forms, (form) => this.labelFile(form), showMessage, 'batch.save_labels');
    this.draw();
    this.on(this.find('.sg-sources'), 'change', ({ target: input }) => {
      const inFolder = input.webkitdirectory;
      this.add([...input.files].map((file) => ({ file, name: file.webkitRelativePath || file.name, inFolder })));
      input.value = '';
    });
    this.on(events, 'dropped', () => this.addDropped());
    this.on(events, 'network', () => {
      this.table.setColumns(fileColumns(countLabels));
      if (this.files.length) this.changeHop(); // classify all anew
    });
    networkSwitch(this.find('.sg-network-place'), this.signal);
    this.addDropped();
    this.on(this.find('.sg-clear'), 'click', () => this.clear());
    this.on(window, 'pagehide', () => { if (this.busy) this.notify(this.server.stop); });
  }

  showLimits({ accepted, files, bytes, all_bytes: all }) {
    this.find('.sg-dropzone .sg-strong').textContent = tForPointer('batch.drop');
    this.find('.sg-limits').textContent = t('batch.limits', {
      accepted, files, megabytes: formatNumber(bytes / 1e6), all: formatNumber(all / 1e9),
    });
  }

  get busy() {
    return ['sending', 'working'].includes(this.stage);
  }

  add(chosen) {
    const { limits } = this.props;
    const wanted = chosen.filter(({ name, inFolder }) => !inFolder || this.isSound(name))
      .sort((one, other) => one.name.localeCompare(other.name, language, { numeric: true })); // as they are listed
    const free = limits.files - this.files.length;
    if (chosen.length && !wanted.length) showMessage(t('batch.none'), 'note');
    else if (wanted.length < chosen.length) showMessage(t('batch.left_out', { left: chosen.length - wanted.length }), 'note');
    if (wanted.length > free) showMessage(t('batch.many', { limit: limits.files, left: wanted.length - free }), 'note');
    let bytes = this.files.reduce((sum, one) => sum + one.file.size, 0);
    for (const { file, name } of wanted.slice(0, free)) {
      const one = { file, name, state: 'waiting', share: 0, parts: [] };
      if (file.size > limits.bytes || bytes + file.size > limits.all_bytes) refuse(one, t('batch.big'));
      else bytes += file.size;
      this.files.push(one);
    }
    this.run();
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
  async run() {
    if (this.stage === 'sending') return; // files added meanwhile follow
    const turn = ++this.turn;
    [this.stage, this.error] = ['sending', ''];
    this.draw();
    for (let next; turn === this.turn && !this.error && (next = this.files.find((one) => one.state === 'waiting'));) {
      await this.send(next, turn);
      this.draw();
    }
    if (turn !== this.turn) return;
    if (this.error) this.stage = 'failed';
    else this.classify();
    this.draw();
  }

  async send(one, turn) {
    one.state = 'sending';
    this.draw();
    try {
      const { path } = await this.upload(one.file);
      const { id, digest } = await request(this.server.add_file, { path, name: one.name });
      if (this.files.includes(one)) Object.assign(one, { id, digest, state: 'sent' });
      this.labels.read(digest);
    } catch (error) {
      const [current, transient] = [turn === this.turn, !error.key || TRANSIENT.includes(error.key)];
      if (current && !transient) refuse(one, error.message);
      else one.state = 'waiting';
      if (current && transient) this.error = error.key ? error.message : t('page.offline'); // not a browser's message
    }
  }

  classify() {
    const ids = this.files.filter((one) => one.state === 'sent').map((one) => one.id);
    this.stage = ids.length ? 'working' : 'done';
    const { hop, channel, turn } = this;
    if (ids.length) this.trigger('classify_files', { token: token(), files: ids, hop, channel, turn });
  }

  changeHop() {
    this.taken = 0;
    this.reset((one) => one.id && one.state !== 'waiting');
    if (this.stage === 'sending') return; // once all are sent, they are classified by what is chosen then
    if (this.busy) this.stop();
    if (this.files.length) this.run();
  }

  /** Forget what is known of some of the files on the server. */
  reset(which) {
    for (const one of this.files.filter(which)) Object.assign(one, { state: 'sent', share: 0, error: null, parts: this.taken ? one.parts : [] });
  }

  stop() {
    this.turn += 1;
    this.stage = 'stopped';
    this.reset((one) => one.state === 'classifying');
    this.notify(this.server.stop);
    this.draw();
  }

  clear() {
    this.turn += 1;
    Object.assign(this, { files: [], taken: 0, stage: 'idle', error: '', unsaved: false });
    this.notify(this.server.clear);
    this.draw();
  }

  async file(form) {
    const file = await request(this.server.files_file, { form });
    this.unsaved = false;
    this.draw();
    return file;
  }

  /** The user's labels of all classified files. */
  async labelFile(form) {
    const done = this.files.filter((one) => one.state === 'done' && this.labels.count(one));
    return request(this.server.file_labels, { form, labels: await this.labels.asJson(done) });
  }

  /** Let the player go through the files in the order of the table. */
  listFiles() {
    const done = this.table.shownRows.filter((one) => one.state === 'done');
    const ids = new Set();
    const unique = done.filter(({ id }) => !ids.has(id) && ids.add(id)); // of its channels the first
    setFileList(unique.map((one) => ({ id: one.id, name: one.name, digest: one.digest, open: () => openFile(one) })));
  }

  async take(reply) {
    if (reply.error) [this.stage, this.error] = ['failed', reply.error];
    for (const one of this.files) if (one.state === 'classifying') one.state = 'sent';
    const now = reply.now && this.files.find((one) => one.id === reply.now.id);
    if (now) Object.assign(now, { state: 'classifying', share: reply.now.seconds ? reply.now.done_s / reply.now.seconds : 0 });
    this.draw();
    await this.fetch(reply.rows);
    if (reply.turn === this.turn && reply.stage && reply.stage !== 'working') {
      this.stage = reply.stage;
      this.draw();
      if (reply.stage === 'done' && this.files.some((one) => one.state === 'waiting')) this.run();
    }
  }

  /** Fetch the new rows of `wanted` in all; one fetch at a time. */
  async fetch(wanted) {
    await this.fetching; // the last answer of a fetch under way may be older than the newest row
    if (wanted <= this.taken) return;
    this.fetching ??= this.fetchAll().catch((error) => showMessage(error.message)).finally(() => {
      this.fetching = null;
      this.draw();
    });
    await this.fetching;
  }

  async fetchAll() {
    for (;;) {
      const { turn } = this;
      const { rows } = await request(this.server.rows, { after: this.taken });
      if (turn !== this.turn) continue; // rows of an earlier run
      if (!rows.length) return;
      this.taken += rows.length;
      this.unsaved = true;
      for (const row of rows) {
        const one = this.files.find((file) => file.id === row.id);
        if (one && row.error) refuse(one, row.error);
        else if (one && this.channel === EACH) addPart(one, row);
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
    const key = this.busy || finished < files.length ? 'batch.far' : 'batch.done';
    this.drawProgress({
      again: finished < files.length ? t('batch.go_on') : '',
      text: t(key, { done: finished, count: files.length }) + (refused ? ` · ${t('batch.refused', { refused })}` : ''),
      total: files.length,
      finished,
      done: files.reduce((sum, one) => sum + (['done', 'refused'].includes(one.state) ? 1 : one.share), 0),
    });
    this.showError(this.error);
    guardUnload('files', this.busy || this.unsaved);
    const rows = files.flatMap((one) => [...one.parts, ...(one.state === 'done' && one.parts.length ? [] : [one])]);
    this.table.setRows(this.filter.apply(rows));
    this.find('.sg-save').hidden = this.busy || !done;
    this.find('.sg-save-labels').hidden = this.busy || !files.some((one) => one.state === 'done' && this.labels.count(one));
  }
}

export const mount = mounting('.sg-files', Batch);
