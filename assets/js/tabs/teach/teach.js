// The teach tab: classes by name, examples from files, folders, ZIPs and the open sound; one press teaches them to the network.

import { dropped } from '../../core/dropped_files.js';
import { setNetwork } from '../../core/network.js';
import { request, token } from '../../core/rpc.js';
import { emit, events, play, showMessage, state } from '../../core/state.js';
import { guardUnload } from '../../core/unload_guard.js';
import { Component, mounting } from '../../lib/component.js';
import { formatNumber, language, t, tForPointer } from '../../lib/i18n.js';
import { Classes } from './classes.js';
import { Figures } from './figures.js';
import { OwnNetwork } from './own_network.js';

const ZIP = /\.zip$/i;
const SKELETON = `
  <div class="sg-dropzone">
    <p class="sg-strong"></p>
    <p class="sg-small sg-limits"></p>
    <div class="sg-sources">
      <label class="sg-button sg-main sg-pick"><span data-t="teach.folder"></span><input type="file" class="sg-teach-folder" webkitdirectory></label>
      <label class="sg-button sg-pick"><span data-t="teach.zip"></span><input type="file" class="sg-teach-zip" accept=".zip"></label>
      <label class="sg-button sg-pick"><span data-t="teach.load"></span><input type="file" class="sg-teach-load" accept=".zip"></label>
    </div>
  </div>
  <div class="sg-classes"></div>
  <div class="sg-sources sg-teach-acts">
    <button type="button" class="sg-button sg-add-class" data-t="teach.add_class"></button>
    <button type="button" class="sg-button sg-main sg-start-stop"></button>
    <div class="sg-progress" role="progressbar" aria-valuemin="0" data-aria="teach.progress" hidden><i></i></div>
    <output class="sg-progress-text" aria-live="polite"></output>
  </div>
  <p class="sg-error" role="alert" hidden></p>
  <div class="sg-own" hidden></div>
  <div class="sg-figures" hidden></div>`;

class Teach extends Component {
  stage = 'idle'; // sending, working, done, stopped, failed
  turn = Date.now(); // counts runs: replies of earlier ones are ignored
  progress = { done: 0, count: 0 };
  error = '';
  /** @type {any} */
  figures = null;
  /** @type {any[]} */
  wrong = [];
  sending = false;

  constructor(host, context) {
    super(host, SKELETON);
    this.server = context.server;
    this.upload = context.upload;
    this.trigger = context.trigger;
    this.props = context.props;
    const { least_examples: least } = this.props.limits;
    this.classes = new Classes(this.find('.sg-classes'), {
      least,
      addFiles: (one, files) => this.add(files.map((file) => ({ file, name: file.name, label: one.name, target: one }))),
      addSound: (one) => this.addSound(one),
      removed: (examples) => this.removed(examples),
      changed: () => this.draw(),
    });
    this.result = new Figures(this.find('.sg-figures'), {
      play: (one) => this.play(one), move: (one, name) => this.move(one, name), drop: (one) => this.drop(one),
    });
    this.own = new OwnNetwork(this.find('.sg-own'), context);
    this.signal.addEventListener('abort', () => { for (const part of [this.classes, this.result, this.own]) part.destroy(); });
    this.find('.sg-dropzone .sg-strong').textContent = tForPointer('teach.drop_here');
    this.find('.sg-limits').textContent = t('teach.limits', { ...this.props.limits, megabytes: formatNumber(this.props.limits.bytes / 1e6) });
    this.classes.list = [1, 2].map(() => ({ name: '', other: false, examples: [] }));
    this.wire(context);
    this.draw();
    this.addDropped();
  }

  wire(context) {
    this.onValue(context, (reply) => { if (reply?.turn === this.turn) this.take(reply); });
    this.on(this.find('.sg-dropzone'), 'change', ({ target: input }) => {
      const files = [...input.files];
      input.value = '';
      if (input.className === 'sg-teach-load') this.load(files[0]);
      else this.add(files.map((file) => ({ file, name: file.webkitRelativePath || file.name })));
    });
    this.on(this.find('.sg-add-class'), 'click', () => {
      this.classes.list.push({ name: '', other: false, examples: [] });
      this.draw();
      this.host.querySelector('.sg-class:last-child .sg-class-name')?.focus();
    });
    this.on(this.find('.sg-start-stop'), 'click', () => (this.busy ? this.stop() : this.run()));
    this.on(events, 'dropped', () => this.addDropped());
    this.on(events, 'sound selection', () => this.draw());
    this.on(window, 'pagehide', () => { if (this.busy) this.notifyStop(); });
  }

  get busy() {
    return this.stage === 'working';
  }

  get examples() {
    return this.classes.list.flatMap(({ examples }) => examples);
  }

  /** Add the files that were dropped on the page while this tab was open. */
  async addDropped() {
    const { examples } = dropped;
    dropped.examples = null;
    if (!examples) return;
    try {
      const files = await examples;
      if (!this.signal.aborted) this.add(files);
    } catch (error) {
      showMessage(t('batch.unread', { reason: error.message }));
    }
  }

  /** Add files to the class of their folder, or to a `target`. */
  add(chosen) {
    const wanted = chosen.filter(({ file, name }) => ZIP.test(name) || this.isSound(file.name))
      .sort((one, other) => one.name.localeCompare(other.name, language, { numeric: true }));
    if (chosen.length && !wanted.length) return showMessage(t('batch.none'), 'note');
    const parts = wanted.map(({ name }) => name.split('/'));
    // a folder of folders has a class in each; of single folders each is a class
    const nested = parts.length && parts.every((path) => path.length > 2 && path[0] === parts[0][0]);
    const free = this.props.limits.files - this.examples.length;
    if (wanted.length > free) showMessage(t('batch.many', { limit: this.props.limits.files, left: wanted.length - free }), 'note');
    wanted.slice(0, free).forEach(({ file, target }, i) => {
      const folder = parts[i][nested ? 1 : 0];
      const home = target ?? (parts[i].length > 1 ? this.classes.named(folder) : this.unnamed(file.name));
      home.examples.push({ name: file.name, file });
    });
    this.sendAll();
    this.draw();
  }

  /** The class for files without a folder: an unnamed one. */
  unnamed(fileName) {
    const free = this.classes.list.find((one) => !one.name && !one.examples.length);
    return free && !ZIP.test(fileName) ? free : this.classes.named('');
  }

  isSound(name) {
    return !name.startsWith('.') && this.props.endings.some((ending) => name.toLowerCase().endsWith(ending));
  }

  /** Upload the examples that wait, one after the other. */
  async sendAll() {
    if (this.sending) return; // those added meanwhile follow
    this.sending = true;
    for (let next; !this.signal.aborted && (next = this.examples.find(({ file, error }) => file && !error));) {
      await this.send(next);
      this.draw();
    }
    this.sending = false;
    this.draw();
  }

  async send(example) {
    try {
      if (example.file.size > this.props.limits.bytes) throw new Error(t('batch.big'));
      const { path } = await this.upload(example.file);
      const { examples } = await request(this.server.add_example, { path, name: example.name });
      if (this.signal.aborted) return;
      const home = this.classes.list.find((one) => one.examples.includes(example));
      if (!home) return this.forget(examples.map(({ id }) => id)); // dropped meanwhile
      home.examples = home.examples.filter((one) => one !== example);
      for (const { id, name, label } of examples) (label ? this.classes.named(label) : home).examples.push({ id, name });
    } catch (error) {
      example.error = error.message;
    }
  }

  async addSound(one) {
    const { selection, sound } = state;
    const { start, end } = selection ?? { start: 0, end: sound.seconds };
    try {
      const { examples } = await request(this.server.add_selection, { sound: sound.id, start, end });
      if (this.signal.aborted) return;
      one.examples.push(...examples);
      this.draw();
    } catch (error) {
      showMessage(error.message);
    }
  }

  removed(examples) {
    this.forget(examples.map(({ id }) => id).filter(Boolean));
    this.draw();
  }

  forget(ids) {
    if (ids.length) request(this.server.remove_examples, { ids }).catch((error) => console.info(error.message));
  }

  run() {
    const classes = this.classes.list.filter(({ examples }) => examples.length);
    const examples = classes.flatMap(({ name, examples: some }) => some.filter(({ id }) => id).map(({ id }) => ({ id, label: name })));
    for (const example of this.examples) if (example.id) delete example.error;
    this.turn += 1;
    Object.assign(this, { stage: 'working', error: '', progress: { done: 0, count: examples.length } });
    const other = classes.find((one) => one.other)?.name ?? null;
    this.trigger('teach', { token: token(), examples, other, turn: this.turn });
    this.draw();
  }

  stop() {
    this.turn += 1;
    this.stage = 'stopped';
    this.notifyStop();
    this.draw();
  }

  notifyStop() {
    request(this.server.stop_teaching, { turn: this.turn }).catch((error) => console.info(error.message));
  }

  take(reply) {
    if (reply.error) Object.assign(this, { stage: 'failed', error: reply.error });
    else this.stage = reply.stage;
    if (reply.stage === 'working') this.progress = reply;
    if (reply.stage === 'done') {
      Object.assign(this, { figures: reply.figures, wrong: reply.wrong });
      for (const example of this.examples) if (reply.refused[example.id]) example.error = reply.refused[example.id];
      this.result.draw(this.figures, this.wrong);
      setNetwork({ classes: this.figures.classes.map(({ name }) => name) }, 'own');
    }
    this.draw();
  }

  async load(file) {
    try {
      const figures = await this.own.load(file);
      if (this.signal.aborted) return;
      Object.assign(this, { figures, wrong: [], stage: 'done', error: '' });
      if (figures) this.result.draw(figures, []);
      this.find('.sg-figures').hidden = !figures;
    } catch (error) {
      if (this.signal.aborted) return;
      Object.assign(this, { stage: 'failed', error: error.message });
    }
    this.draw();
  }

  play({ id, name }) {
    emit('open', { name, request: { uploaded: id }, settled: (done) => { if (done) play(); } });
  }

  exampleOf({ id }) {
    return this.examples.find((example) => example.id === id);
  }

  move(one, name) {
    const example = this.exampleOf(one);
    if (example) this.classes.move(example, this.classes.named(name));
  }

  drop(one) {
    const example = this.exampleOf(one);
    this.wrong = this.wrong.filter((other) => other !== one);
    this.result.draw(this.figures, this.wrong);
    if (example) this.classes.drop(example);
  }

  /** What is still missing before a press can teach; '' if nothing is. */
  missing() {
    const { least_classes: classes, least_examples: least } = this.props.limits;
    const used = this.classes.list.filter(({ examples }) => examples.length);
    if (this.sending) return t('teach.sending', { left: this.examples.filter(({ file, error }) => file && !error).length });
    if (used.some(({ name }) => !name)) return t('teach.unnamed');
    if (new Set(used.map(({ name }) => name)).size < used.length) return t('teach.same_name');
    return used.length < classes || used.some(({ examples }) => examples.length < least) ? t('teach.more', { classes, least }) : '';
  }

  draw() {
    const missing = this.missing();
    const { done, count } = this.progress;
    const [button, bar] = [this.find('.sg-start-stop'), this.find('.sg-progress')];
    this.host.dataset.stage = this.stage;
    this.classes.draw(state.sound ? t(state.selection ? 'teach.add_selection' : 'teach.add_sound') : '');
    button.textContent = this.busy ? t('player.stop') : t(this.figures ? 'teach.again' : 'teach.start');
    button.disabled = !this.busy && Boolean(missing);
    bar.hidden = !this.busy;
    bar.firstChild.style.width = `${(100 * done) / (count || 1)}%`;
    [bar.ariaValueMax, bar.ariaValueNow] = [String(count), String(done)];
    const working = done < count ? t('teach.far', { done, count }) : t('teach.fitting');
    this.find('.sg-progress-text').textContent = this.busy ? working : missing;
    this.showError(this.error);
    guardUnload('teach', this.busy || this.examples.length > 0);
  }
}

export const mount = mounting('.sg-teach', Teach);
