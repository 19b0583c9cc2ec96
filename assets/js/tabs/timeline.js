// The timeline: detected classes of the open sound over time, as totals, as lanes under a spectrogram, and as a table.

import { describeSegment, detections, hueOf, labelName, setTimeline } from '../core/detections.js';
import { request, token } from '../core/rpc.js';
import { events, showMessage, state } from '../core/state.js';
import { Component, mounting } from '../lib/component.js';
import { element, find, onResize } from '../lib/dom.js';
import { formatDuration, formatMoment, formatPercent, formatTime, t } from '../lib/i18n.js';
import { playInterval } from '../player/playback.js';
import { Mel } from '../viewer/views.js';
import { SortableTable, downloadButtons } from '../widgets/sortable_table.js';
import { fillHops } from './hops.js';

const MOST_TOTALS = 8;
const SKELETON = `
  <section class="sg-overall">
    <div class="sg-summary" aria-live="polite"><p></p><p class="sg-big"></p><p class="sg-small"></p></div>
    <ol class="sg-totals"></ol>
  </section>
  <div class="sg-job">
    <label><span data-t="timeline.hop"></span><select class="sg-hop"></select></label>
    <button type="button" class="sg-button sg-start-stop"></button>
    <div class="sg-progress" role="progressbar" aria-valuemin="0" data-aria="timeline.progress"><i></i></div>
    <output class="sg-progress-text"></output>
  </div>
  <p class="sg-error" role="alert" hidden></p>
  <div class="sg-viewer sg-compact" data-owner="timeline"></div>
  <div class="sg-segments" hidden>
    <div class="sg-scroll"><table class="sg-table"></table></div>
    <div class="sg-save"></div>
  </div>
  <h3 class="sg-first" hidden></h3>`;

class Timeline extends Component {
  turn = Date.now(); // counts runs: replies of earlier ones are ignored
  hop = 0.5; // of the windows, in clips
  /** @type {string | null} the id of the sound that was requested last */
  requested = null;
  stage = 'idle';
  /** @type {any} the reply that is an error, or null */
  failed = null;
  clipSeconds = Infinity;
  firstClip = 0; // start of the clip that was classified by itself, in seconds

  constructor(host, context) {
    super(host, SKELETON);
    const { root, server, trigger, props } = context;
    this.root = root;
    this.server = server;
    this.trigger = trigger;
    this.section = document.getElementById('classify-tab') ?? root;
    this.work = this.find('.sg-job'); // goes into the viewer's toolbar
    fillHops(this.find('.sg-hop'), props.hops, this.hop);
    this.viewer = new Mel(this.find('.sg-viewer'), server, props.parameters);
    this.viewer.toolbar.prepend(this.work);
    this.signal.addEventListener('abort', () => this.viewer.destroy());
    this.table = segmentTable(this.find('.sg-table'), this.signal);
    downloadButtons(this.find('.sg-save'), props.forms, (form) =>
      request(server.timeline_file, { sound: state.sound?.id, hop: this.hop, form }), showMessage);
    this.onValue(context, (reply) => this.take(reply));
    this.on(events, 'sound', () => this.newSound());
    this.on(events, 'classified', ({ detail }) => {
      this.firstClip = detail.start;
      this.draw();
    });
    onResize(root, () => this.runOnce(), this.signal); // a tab that opens gains a size
    this.on(this.find('.sg-hop'), 'change', ({ target }) => {
      this.hop = Number(target.value);
      this.run();
    });
    this.on(this.find('.sg-start-stop'), 'click', () => (this.stage === 'working' ? this.stop() : this.run()));
    this.on(window, 'pagehide', () => this.cancel());
    this.newSound();
  }

  newSound() {
    if (this.stage === 'working') this.cancel();
    [this.stage, this.requested, this.failed, this.firstClip] = ['idle', null, null, 0];
    setTimeline(null);
    this.draw();
    this.runOnce();
  }

  /** Run once for a sound, when the tab is on screen. */
  runOnce() {
    const visible = this.root.offsetParent !== null;
    if (visible && state.sound && this.requested !== state.sound.id) this.run();
  }

  run() {
    if (!state.sound) return;
    this.requested = state.sound.id;
    this.cancel();
    [this.stage, this.failed] = ['working', null];
    setTimeline({ sound: state.sound.id, stage: 'waiting', done_s: 0, segments: [], silences: [], uncertain: [], totals: [], overall: null });
    this.draw();
    this.trigger('run_timeline', { token: token(), sound: state.sound.id, hop: this.hop, turn: this.turn });
  }

  stop() {
    this.cancel((error) => showMessage(error.message));
    this.stage = 'stopped';
    this.draw();
  }

  /** End the run under way on the server, and ignore its replies. */
  cancel(failed = (/** @type {Error} */ error) => console.info(error.message)) {
    this.turn += 1;
    request(this.server.stop, { turn: this.turn }).catch(failed);
  }

  take(reply) {
    if (reply?.turn !== this.turn) return;
    if (reply.error) [this.stage, this.failed] = ['failed', reply];
    else [this.stage, this.clipSeconds] = [reply.stage, reply.clip_seconds];
    setTimeline(reply.error ? null : reply);
    this.draw();
  }

  draw() {
    const { sound } = state;
    const long = Boolean(sound) && sound.seconds > this.clipSeconds + 0.05;
    this.root.hidden = !sound || Boolean(this.failed?.off);
    this.host.dataset.stage = this.stage;
    this.section.toggleAttribute('data-long', long && !this.root.hidden);
    const { timeline } = detections;
    this.drawWork(timeline);
    this.find('.sg-first').hidden = !long;
    if (long) this.find('.sg-first').textContent = this.firstClipText();
    const wrong = this.find('.sg-error');
    wrong.hidden = !this.failed;
    wrong.textContent = this.failed?.error ?? '';
    this.find('.sg-overall').hidden = !long || !timeline;
    if (timeline) this.drawOverall(timeline);
    const segments = timeline ? [...timeline.segments, ...timeline.uncertain] : [];
    this.find('.sg-segments').hidden = !segments.length;
    this.table.setRows(segments);
    this.find('.sg-save').hidden = timeline?.stage !== 'done';
  }

  /** The seconds that the prediction below is about. */
  firstClipText() {
    const { firstClip: start, clipSeconds: seconds } = this;
    if (!start) return t('timeline.first_alone', { seconds: formatDuration(seconds) });
    return t('timeline.first_clip_alone', { start: formatMoment(start), end: formatMoment(start + seconds) });
  }

  drawWork(timeline) {
    const working = this.stage === 'working';
    const [button, bar, far] = ['.sg-start-stop', '.sg-progress', '.sg-progress-text'].map((selector) => find(this.work, selector));
    button.textContent = t(working ? 'player.stop' : 'timeline.run_again');
    button.hidden = !working && !['stopped', 'failed'].includes(this.stage);
    bar.hidden = !working;
    const total = state.sound?.seconds ?? 1;
    const done = timeline?.done_s ?? 0;
    bar.firstChild.style.width = `${(100 * done) / total}%`;
    [bar.ariaValueMax, bar.ariaValueNow] = [total.toFixed(0), done.toFixed(0)];
    const key = { working: timeline?.stage === 'waiting' ? 'timeline.waiting_turn' : 'timeline.done_of', stopped: 'timeline.stopped_at' }[this.stage];
    far.textContent = key ? t(key, { done: formatTime(done), total: formatTime(total) }) : '';
  }

  drawOverall(timeline) {
    const [lead, big, note] = this.find('.sg-summary').children;
    const { totals, overall } = timeline;
    const done = timeline.stage === 'done';
    lead.textContent = done ? t('timeline.found_in', { total: formatDuration(state.sound.seconds) }) : t('timeline.found_so_far');
    const nothing = t(!done && this.stage === 'working' ? 'classify.wait' : overall?.[0] === 'silence' ? 'page.silence' : 'timeline.nothing_sure');
    big.textContent = totals.length ? totalsText(totals) : nothing;
    note.textContent = done && !totals.length && overall === null ? t('timeline.nothing_sure_means') : '';
    const rest = [['uncertain', timeline.uncertain], ['silence', timeline.silences]]
      .map(([label, intervals]) => [label, intervals.reduce((sum, { start, end }) => sum + end - start, 0), intervals.length])
      .filter(([, , count]) => count);
    const longest = Math.max(...[...totals, ...rest].map(([, seconds]) => seconds));
    this.find('.sg-totals').replaceChildren(
      ...totals.slice(0, MOST_TOTALS).map((total) => totalRow(total, longest)), ...rest.map((one) => restRow(one, longest)),
    );
  }
}

/** One class that dominates, else the first three and how many more. */
function totalsText(totals) {
  const names = totals.map(([label]) => labelName(label));
  const all = totals.reduce((sum, [, seconds]) => sum + seconds, 0);
  if (names.length === 1) return names[0];
  if (totals[0][1] > 0.6 * all) return t('timeline.mostly', { what: names[0] });
  const some = names.slice(0, names.length > 4 ? 3 : 4).join(', ');
  return names.length > 4 ? t('timeline.and_more', { some, more: names.length - 3 }) : some;
}

function totalRow([label, seconds, count, probability], longest) {
  const row = element('<li><b></b><span></span><i><em></em></i><output></output></li>');
  row.style.setProperty('--sg-hue', hueOf(label));
  row.dataset.label = label;
  row.querySelector('span').textContent = labelName(label);
  row.querySelector('em').style.width = `${(100 * seconds) / longest}%`;
  row.lastChild.textContent = formatDuration(seconds);
  row.title = t('timeline.total_is', { what: labelName(label), seconds: formatDuration(seconds), count, probability: formatPercent(probability) });
  return row;
}

/** Time without a class: silence, or no class was likely enough.
 * @param {any[]} total
 * @param {number} longest
 */
function restRow([label, seconds, count], longest) {
  const row = totalRow([label, seconds, count, 0], longest);
  row.title = t(`timeline.total_${label}`, { seconds: formatDuration(seconds) });
  return row;
}

function segmentTable(table, signal) {
  const timed = (key, show) => ({ key, title: t(`timeline.column_${key}`), numeric: true, value: (row) => row[key], fill: show });
  return new SortableTable(table, [
    {
      key: 'class', title: t('timeline.column_class'), value: (row) => labelName(row.label),
      fill: (cell, row) => {
        const dot = element(`<b class="sg-dot" style="--sg-hue: ${hueOf(row.label)}"></b>`);
        if (row.guess) dot.dataset.label = row.label;
        cell.append(dot, row.guess ? t('timeline.uncertain_row', { what: labelName(row.guess) }) : labelName(row.label));
        cell.dataset.label = row.label;
      },
    },
    timed('start', (cell, row) => { cell.textContent = formatMoment(row.start); }),
    timed('end', (cell, row) => { cell.textContent = formatMoment(row.end); }),
    {
      ...timed('duration', (cell, row) => { cell.textContent = formatDuration(row.end - row.start); }),
      value: (row) => row.end - row.start,
    },
    timed('probability', (cell, row) => { cell.textContent = formatPercent(row.probability); }),
  ], { signal, by: 'start', act: playInterval, name: (row) => t('timeline.play_segment', { what: describeSegment(row) }), caption: t('timeline.segments') });
}

export const mount = mounting('.sg-timeline', Timeline);
