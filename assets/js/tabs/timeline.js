// The timeline: detected classes of the open sound over time, as totals, as lanes under a spectrogram, and as a table.

import { channelText } from '../core/channels.js';
import { describeSegment, detections, formatUncertainty, labelName, paintClass, segmentsOf, setTimeline } from '../core/detections.js';
import { answerName, network } from '../core/network.js';
import { request, token } from '../core/rpc.js';
import { ask, events, showMessage, state } from '../core/state.js';
import { mounting } from '../lib/component.js';
import { element, onResize } from '../lib/dom.js';
import { formatDuration, formatMoment, formatPercent, formatTime, t } from '../lib/i18n.js';
import { answersOffer } from '../player/reading_offers.js';
import { playAndAsk } from '../player/segment.js';
import { Mel } from '../viewer/views.js';
import { retryHelps } from '../widgets/retry_button.js';
import { SortableTable, downloadButtons } from '../widgets/sortable_table.js';
import { Job, controls } from './job.js';
import { networkSwitch } from './teach/network_switch.js';

const MOST_TOTALS = 8;
const OVERALL = `
  <section class="sg-overall">
    <div class="sg-summary" aria-live="polite"><h3></h3><p></p><p class="sg-big"></p><p class="sg-small"></p></div>
    <ol class="sg-totals"></ol>
  </section>`;
const SKELETON = `${OVERALL}${OVERALL}
  <div class="sg-job">${controls('timeline.progress')}</div>
  <p class="sg-error" role="alert" hidden></p>
  <div class="sg-viewer sg-compact" data-owner="timeline"></div>
  <button type="button" class="sg-button sg-ask" hidden></button>
  <div class="sg-segments" hidden>
    <div class="sg-scroll"><table class="sg-table"></table></div>
    <div class="sg-save"></div>
  </div>
  <h3 class="sg-first" hidden></h3>`;

class Timeline extends Job {
  /** @type {string | null} the id of the sound that was requested last */
  requested = null;
  /** @type {any} the reply that is an error, or null */
  failed = null;
  clipSeconds = Infinity;
  firstClip = 0; // start of the clip that was classified by itself, in seconds

  constructor(host, context) {
    super(host, SKELETON, context);
    const { root, server, props } = context;
    this.root = root;
    this.section = document.getElementById('classify-tab') ?? root;
    this.viewer = new Mel(this.find('.sg-viewer'), server, props.parameters);
    this.viewer.toolbar.prepend(this.find('.sg-job'));
    this.signal.addEventListener('abort', () => this.viewer.destroy());
    this.overalls = [...this.host.querySelectorAll('.sg-overall')]; // of one or two networks
    this.overalls[1].after(answersOffer(this.signal));
    this.table = new SortableTable(this.find('.sg-table'), segmentColumns(), {
      signal: this.signal, by: 'start', act: playAndAsk, caption: t('timeline.segments'),
      name: (row) => t('timeline.play_segment', { what: describeSegment(row) }),
    });
    downloadButtons(this.find('.sg-save'), props.forms, (form) =>
      request(server.timeline_file, { sound: state.sound?.id, hop: this.hop, form }), showMessage);
    this.on(events, 'network', () => this.table.setColumns(segmentColumns()));
    this.on(events, 'sound network', () => this.newSound());
    const place = element('<div class="sg-network-place"></div>');
    this.section.prepend(place); // above the prediction, too
    this.signal.addEventListener('abort', () => place.remove());
    networkSwitch(place, this.signal);
    this.on(events, 'selection asked', () => this.drawAsk());
    this.on(this.find('.sg-ask'), 'click', () => ask(state.selection));
    this.on(events, 'classified', ({ detail }) => {
      if (!detail.interval) this.firstClip = detail.start;
      this.draw();
    });
    onResize(root, () => this.runOnce(), this.signal); // a tab that opens gains a size
    this.on(window, 'pagehide', () => this.cancel());
    this.newSound();
  }

  newSound() {
    if (this.busy) this.cancel();
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
    setTimeline({ stage: 'waiting', done_s: 0, segments: [], silences: [], uncertain: [], totals: [], overall: null });
    this.draw();
    this.trigger('run_timeline', { token: token(), sound: state.sound.id, hop: this.hop, turn: this.turn });
  }

  changeHop() {
    this.run();
  }

  stop() {
    this.cancel((error) => showMessage(error.message));
    this.stage = 'stopped';
    this.draw();
  }

  /** End the run under way on the server, and ignore its replies. */
  cancel(failed = undefined) {
    this.turn += 1;
    this.notify(this.server.stop, failed);
  }

  take(reply) {
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
    this.drawProgress({ ...this.progress(timeline), total: sound?.seconds ?? 0, finished: timeline?.done_s ?? 0 });
    this.find('.sg-first').hidden = !long || Boolean(state.asked);
    this.drawAsk();
    if (long) this.find('.sg-first').textContent = this.firstClipText();
    this.showError(this.failed && retryHelps(this.failed) ? this.failed.error : ''); // else the prediction says so
    this.overalls.forEach((section, second) => {
      const part = second ? timeline?.second : timeline;
      section.hidden = !long || !part;
      if (part) this.drawOverall(section, part, timeline.second ? answerName(Boolean(second)) : '');
    });
    const segments = segmentsOf(timeline).flat();
    this.find('.sg-segments').hidden = !segments.length;
    this.table.setRows(segments);
    this.find('.sg-save').hidden = timeline?.stage !== 'done';
  }

  /** Offer to classify the selection, unless it is classified already. */
  drawAsk() {
    const { selection, asked } = state;
    const button = this.find('.sg-ask');
    button.hidden = !selection || (asked?.start === selection.start && asked.end === selection.end);
    if (!selection) return;
    button.textContent = t('timeline.ask', { start: formatTime(selection.start), end: formatTime(selection.end) });
  }

  /** The seconds that the prediction below is about. */
  firstClipText() {
    const { firstClip: start, clipSeconds: seconds } = this;
    if (!start) return t('timeline.first_alone', { seconds: formatDuration(seconds) });
    return t('timeline.first_clip_alone', { start: formatMoment(start), end: formatMoment(start + seconds) });
  }

  /** The texts of the button and beside the progress bar. */
  progress(timeline) {
    const key = {
      working: timeline?.stage === 'waiting' ? 'timeline.waiting_turn' : 'timeline.done_of', stopped: 'timeline.stopped_at',
    }[this.stage];
    const values = { done: formatTime(timeline?.done_s ?? 0), total: formatTime(state.sound?.seconds ?? 0) };
    const again = this.stage === 'stopped' || (this.stage === 'failed' && retryHelps(this.failed));
    return { again: again ? t('timeline.run_again') : '', text: key ? t(key, values) : '' };
  }

  drawOverall(section, timeline, name) {
    const [heading, lead, big, note] = section.firstElementChild.children;
    const { totals, overall } = timeline;
    const done = timeline.stage === 'done';
    [heading.textContent, heading.hidden] = [name, !name];
    const found = done ? t('timeline.found_in', { total: formatDuration(state.sound.seconds) }) : t('timeline.found_so_far');
    lead.textContent = [found, channelText(state.sound)].filter(Boolean).join(' · ');
    const ofLabel = (label) => timeline.uncertain.filter((one) => one.label === label);
    const rest = Object.entries({ uncertain: ofLabel('uncertain'), unknown: ofLabel('unknown'), silence: timeline.silences })
      .map(([label, intervals]) => [label, intervals.reduce((sum, { start, end }) => sum + end - start, 0)])
      .filter(([, seconds]) => seconds);
    if (totals.length) big.textContent = totalsText(totals, rest);
    else if (this.busy) big.textContent = t('classify.wait');
    else big.textContent = overall ? labelName(overall[0]) : t('timeline.nothing_sure');
    note.textContent = done && !totals.length && overall === null ? t('timeline.nothing_sure_means') : '';
    const longest = Math.max(...[...totals, ...rest].map(([, seconds]) => seconds));
    const rows = [...totals.slice(0, MOST_TOTALS), ...rest].map((total) => totalRow(total, longest));
    section.lastElementChild.replaceChildren(...rows);
  }
}

/** One class that most of what is no silence belongs to, else the first three and how many more. */
function totalsText(totals, rest) {
  const names = totals.map(([label]) => labelName(label));
  const all = [...totals, ...rest].reduce((sum, [label, seconds]) => sum + (label === 'silence' ? 0 : seconds), 0);
  if (names.length === 1) return names[0];
  if (totals[0][1] > 0.6 * all) return t('timeline.mostly', { what: names[0] });
  const some = names.slice(0, names.length > 4 ? 3 : 4).join(', ');
  return names.length > 4 ? t('timeline.and_more', { some, more: names.length - 3 }) : some;
}

/** The time of a class; without a count it is silence, or no class was likely enough. */
function totalRow([label, seconds, count, probability], longest) {
  const row = element('<li><b></b><span></span><i><em></em></i><output></output></li>');
  paintClass(row, label);
  row.dataset.label = label;
  row.querySelector('span').textContent = labelName(label);
  row.querySelector('em').style.width = `${(100 * seconds) / longest}%`;
  row.lastChild.textContent = formatDuration(seconds);
  const values = { what: labelName(label), seconds: formatDuration(seconds), count, probability: formatPercent(probability) };
  row.title = t(count ? 'timeline.total_is' : `timeline.total_${label}`, values);
  return row;
}

/** The columns of a table of segments, with one for the network where two are in use. */
function segmentColumns() {
  const column = (key, value, format) => ({
    key, title: t(`timeline.column_${key}`), numeric: true, value,
    fill: (cell, row) => { cell.textContent = format(value(row)); },
  });
  const answers = { key: 'answer', title: t('teach.answer'), value: (row) => row.answer, fill: (cell, row) => cell.append(row.answer) };
  return [
    {
      key: 'class', title: t('timeline.column_class'), value: (row) => labelName(row.label),
      fill: (cell, row) => {
        const dot = element('<b class="sg-dot"></b>');
        paintClass(dot, row.label);
        if (row.guess) dot.dataset.label = row.label;
        cell.append(dot, labelName(row.label, row.guess));
        cell.dataset.label = row.label;
      },
    },
    ...(network.choice === 'both' ? [answers] : []),
    column('start', (row) => row.start, formatMoment),
    column('end', (row) => row.end, formatMoment),
    column('duration', (row) => row.end - row.start, formatDuration),
    column('uncertainty', (row) => row.uncertainty ?? 0, formatUncertainty),
    { ...column('probability', (row) => row.probability, (share) => formatPercent(share)), title: t('timeline.column_mean') },
  ];
}

export const mount = mounting('.sg-timeline', Timeline);
