// What happens when: the open sound is heard piece by piece; what was heard overall, a picture with its strip, a table.

import { request, token } from '../core/rpc.js';
import { events, showMessage, state } from '../core/state.js';
import { element } from '../lib/dom.js';
import { formatDuration, formatMoment, formatPercent, formatTime, messagesReady, t } from '../lib/i18n.js';
import { describeSegment, detections, hueOf, labelName, setTimeline } from '../core/detections.js';
import { playInterval } from '../player/playback.js';
import { SortableTable, downloadButtons } from '../widgets/sortable_table.js';
import { Viewer } from '../viewer/viewer.js';

const MOST_TOTALS = 8;
const SKELETON = `
  <section class="sg-overall">
    <div class="sg-said" aria-live="polite"><p></p><p class="sg-big"></p><p class="sg-small"></p></div>
    <ol class="sg-totals"></ol>
  </section>
  <div class="sg-work">
    <label><span></span><select class="sg-hop"></select></label>
    <button type="button" class="sg-button sg-listen"></button>
    <div class="sg-progress" role="progressbar" aria-valuemin="0"><i></i></div>
    <output class="sg-far"></output>
  </div>
  <p class="sg-wrong" role="alert" hidden></p>
  <div class="sg-viewer sg-compact"></div>
  <div class="sg-segments" hidden>
    <div class="sg-scroll"><table class="sg-table"></table></div>
    <div class="sg-save"></div>
  </div>
  <h3 class="sg-first" hidden></h3>`;

export async function mount(root, { server, trigger, watch, props }) {
  await messagesReady;
  new Timeline(root, server, trigger, props).wire(watch);
}

class Timeline {
  constructor(root, server, trigger, props) {
    Object.assign(this, { root, server, trigger, props, turn: Date.now(), hop: 0.5, asked: null, stage: 'idle', failed: false, clip: Infinity, opens: 0 });
    this.host = root.querySelector('.sg-when');
    this.host.innerHTML = SKELETON;
    this.what = document.getElementById('what') ?? root;
    this.find = (selector) => this.host.querySelector(selector);
    this.words();
    this.viewer = new Viewer(this.find('.sg-viewer'), server, props.parameters);
    this.find('.sg-viewer').viewer = this.viewer; // there for tests and the curious
    this.viewer.toolbar.prepend(this.find('.sg-work'));
    this.table = segmentTable(this.find('.sg-table'));
    downloadButtons(this.find('.sg-save'), props.forms, (form) =>
      request(server.timeline_file, { sound: state.sound?.id, hop: this.hop, form }), (text) => showMessage(text));
    this.draw();
  }

  words() {
    this.find('.sg-work label span').textContent = t('timeline.hop');
    for (const hop of this.props.hops) this.find('.sg-hop').append(new Option(t(`timeline.hop_${100 * hop}`), hop));
    this.find('.sg-hop').value = this.hop;
    this.find('.sg-progress').setAttribute('aria-label', t('timeline.progress'));
  }

  wire(watch) {
    watch('value', () => this.take(this.props.value));
    events.addEventListener('sound', () => this.newSound());
    events.addEventListener('classified', ({ detail }) => {
      this.opens = detail.start;
      this.draw();
    });
    new ResizeObserver(() => this.begin()).observe(this.root); // a tab that opens gains a size
    this.find('.sg-hop').addEventListener('change', (event) => {
      this.hop = Number(event.target.value);
      this.again();
    });
    this.find('.sg-listen').addEventListener('click', () => (this.stage === 'working' ? this.stop() : this.again()));
    window.addEventListener('pagehide', () => this.leave());
    this.newSound();
  }

  newSound() {
    if (this.stage === 'working') this.leave();
    [this.stage, this.asked, this.failed, this.opens] = ['idle', null, false, 0];
    setTimeline(null);
    this.draw();
    this.begin();
  }

  /** Ask once for a sound, when the tab is on screen. */
  begin() {
    const visible = this.root.offsetParent !== null;
    if (visible && state.sound && this.asked !== state.sound.id) this.again();
  }

  again() {
    if (!state.sound) return;
    this.asked = state.sound.id;
    this.turn += 1; // ends what this page asked before
    [this.stage, this.failed] = ['working', false];
    setTimeline({ sound: state.sound.id, stage: 'waiting', done_s: 0, segments: [], silences: [], uncertain: [], totals: [], overall: null });
    this.draw();
    request(this.server.stop, { turn: this.turn }).catch((refusal) => console.info(refusal.message));
    this.trigger('run_timeline', { token: token(), sound: state.sound.id, hop: this.hop, turn: this.turn });
  }

  async stop() {
    this.turn += 1;
    this.stage = 'stopped';
    this.draw();
    try {
      await request(this.server.stop, { turn: this.turn });
    } catch (refusal) {
      showMessage(refusal.message);
    }
  }

  /** Give the work up without a word: another sound is open, or the page goes. */
  leave() {
    this.turn += 1;
    request(this.server.stop, { turn: this.turn }).catch(() => {}); // nobody is left to be told
  }

  take(answer) {
    if (!answer || answer.turn !== this.turn) return; // of a run that nobody waits for any more
    if (answer.error) {
      [this.stage, this.failed] = ['failed', answer];
      setTimeline(null);
    } else {
      [this.stage, this.clip] = [answer.stage, answer.clip_seconds];
      setTimeline(answer);
    }
    this.draw();
  }

  draw() {
    const { sound } = state;
    const long = Boolean(sound) && sound.seconds > this.clip + 0.05;
    this.root.hidden = !sound || Boolean(this.failed.off);
    this.host.dataset.stage = this.stage;
    this.what.toggleAttribute('data-long', long && !this.root.hidden);
    const { timeline } = detections;
    this.drawWork(timeline);
    this.find('.sg-first').hidden = !long;
    if (long) this.find('.sg-first').textContent = this.opening();
    const wrong = this.find('.sg-wrong');
    wrong.hidden = !this.failed;
    wrong.textContent = this.failed ? this.failed.error : '';
    this.find('.sg-overall').hidden = !long || !timeline;
    if (timeline) this.drawOverall(timeline);
    const stretches = timeline ? [...timeline.segments, ...timeline.uncertain] : [];
    this.find('.sg-segments').hidden = !stretches.length;
    this.table.show(stretches);
    this.find('.sg-save').hidden = timeline?.stage !== 'done';
  }

  /** Which seconds the answer below is about. */
  opening() {
    if (!this.opens) return t('timeline.first_alone', { seconds: formatDuration(this.clip) });
    return t('timeline.first_clip_alone', { start: formatMoment(this.opens), end: formatMoment(this.opens + this.clip) });
  }

  drawWork(timeline) {
    const working = this.stage === 'working';
    const [button, bar, far] = [this.find('.sg-listen'), this.find('.sg-progress'), this.find('.sg-far')];
    button.textContent = t(working ? 'player.stop' : 'timeline.run_again');
    button.hidden = !working && !['stopped', 'failed'].includes(this.stage);
    bar.hidden = !working;
    const total = state.sound?.seconds ?? 1;
    const done = timeline?.done_s ?? 0;
    bar.firstChild.style.width = `${(100 * done) / total}%`;
    bar.setAttribute('aria-valuemax', total.toFixed(0));
    bar.setAttribute('aria-valuenow', done.toFixed(0));
    const key = { working: timeline?.stage === 'waiting' ? 'timeline.waiting_turn' : 'timeline.done_of', stopped: 'timeline.stopped_at' }[this.stage];
    far.textContent = key ? t(key, { done: formatTime(done), total: formatTime(total) }) : '';
  }

  drawOverall(timeline) {
    const [lead, big, note] = this.find('.sg-said').children;
    const { totals, overall } = timeline;
    const done = timeline.stage === 'done';
    lead.textContent = done ? t('timeline.found_in', { total: formatDuration(state.sound.seconds) }) : t('timeline.found_so_far');
    const nothing = t(!done && this.stage === 'working' ? 'classify.wait' : overall?.[0] === 'silence' ? 'page.silence' : 'timeline.nothing_sure');
    big.textContent = totals.length ? inWords(totals) : nothing;
    note.textContent = done && !totals.length && overall === null ? t('timeline.nothing_sure_means') : '';
    const rest = [['uncertain', timeline.uncertain], ['silence', timeline.silences]]
      .map(([label, stretches]) => [label, stretches.reduce((sum, { start, end }) => sum + end - start, 0), stretches.length])
      .filter(([, , count]) => count);
    const longest = Math.max(...[...totals, ...rest].map(([, seconds]) => seconds));
    this.find('.sg-totals').replaceChildren(
      ...totals.slice(0, MOST_TOTALS).map((total) => totalRow(total, longest)), ...rest.map((one) => restRow(one, longest)),
    );
  }
}

/** One class that was heard for most of the time by itself, else the first three and how many more. */
function inWords(totals) {
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

/** Time in which no class was heard: silence, or what nothing is sure about. */
function restRow([label, seconds, count], longest) {
  const row = totalRow([label, seconds, count, 0], longest);
  row.title = t(`timeline.total_${label}`, { seconds: formatDuration(seconds) });
  return row;
}

function segmentTable(table) {
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
  ], { by: 'start', act: playInterval, name: (row) => t('timeline.play_segment', { what: describeSegment(row) }), caption: t('timeline.segments') });
}
