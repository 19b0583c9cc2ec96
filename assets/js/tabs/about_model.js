// About the model: measured figures as numbers and charts, protocol and limits. Figures not measured name their command.

import { request } from '../core/rpc.js';
import { events } from '../core/state.js';
import { lines, reliability } from '../lib/charts.js';
import { Component, mounting } from '../lib/component.js';
import { element, onResize, textElement } from '../lib/dom.js';
import { className, formatNumber, formatPercent, language, t, texts } from '../lib/i18n.js';
import { retryButton } from '../widgets/retry_button.js';

const CALIBRATE = 'python -m training calibrate runs/NAME';
const SERIES = { train: 'about_model.train', valid: 'about_model.valid' };
const COMMANDS = { // of the sections that `CALIBRATE` does not fill
  'about_model.unknown': `${CALIBRATE} --unknown FOLDER --unknown-valid FOLDER`,
  'about_model.robustness': 'python -m training robustness --save --checkpoint FOLDER',
  'about_model.maps': 'python -m training explain-test --save --checkpoint FOLDER',
};
const PAIRS = 10;
const NONE = '—';

const tenths = (share) => formatPercent(share, 1);
const paragraph = (text, kind = '') => textElement('p', text, kind);

class AboutModel extends Component {
  requested = false;
  turn = 0; // replies for an earlier network are dropped

  constructor(host, { server, root }) {
    super(host, '');
    this.server = server;
    onResize(root, () => this.load(), this.signal); // a tab that opens gains a size
    this.on(events, 'network', () => { this.turn += 1; this.requested = false; this.load(); });
    this.load();
  }

  async load() {
    if (this.requested || !this.onScreen) return;
    this.requested = true;
    const { turn } = this;
    const isLate = () => this.signal.aborted || turn !== this.turn;
    this.host.replaceChildren(paragraph(t('about_model.wait')));
    try {
      const about = await request(this.server.about, {});
      if (!isLate()) this.host.replaceChildren(...page(about));
    } catch (error) {
      if (isLate()) return;
      const retry = retryButton(() => { this.requested = false; this.load(); });
      this.host.replaceChildren(paragraph(t('about_model.off'), 'sg-strong'), paragraph(error.message, 'sg-error'), retry);
    }
  }
}

function page(about) {
  if (about.figures.taught) return taughtPage(about);
  const { architecture, classes, clip_seconds: seconds, made } = about;
  const { held_out: held, unknown, history, deletion } = about.figures;
  const [name, length] = [architecture.replace('resnet', 'ResNet'), formatNumber(seconds, seconds % 1 ? 1 : 0)];
  const sections = {
    'about_model.protocol': [paragraph(protocol(about))],
    'about_model.curves': history && curves(history),
    'about_model.reliability': held && calibration(held, about.calibration),
    'about_model.recall': held && recall(held),
    'about_model.confused': held && confused(held),
    'about_model.unknown': unknown && outOfDistribution(unknown),
    'about_model.robustness': about.robustness && robustness(about.robustness),
    'about_model.maps': deletion && maps(deletion),
    'about_model.limits': [
      paragraph(t('about_model.limits_said', { count: classes })),
      paragraph(t('about_model.licence', { licence: made.licence ?? t('about_model.unstated'), data: made.data ?? t('about_model.unstated') })),
    ],
  };
  return [
    paragraph(t('about_model.head', { architecture: name, classes, seconds: length }), 'sg-lead'),
    ...about.wrong ? [paragraph(about.wrong, 'sg-error')] : [],
    numbers(held, unknown),
    ...Object.entries(sections).map(([title, parts]) => {
      const box = document.createElement('section');
      box.id = title.replace('_model.', '_');
      box.append(textElement('h2', t(title)), ...parts ?? [missing(COMMANDS[title] ?? CALIBRATE)]);
      return box;
    }),
  ];
}

/** A network with own classes: what cross-validation of its examples gave. */
function taughtPage({ made, wrong, architecture, clip_seconds: seconds, figures: { taught } }) {
  const { classes, confusion } = taught;
  const [name, length] = [architecture.replace('resnet', 'ResNet'), formatNumber(seconds, seconds % 1 ? 1 : 0)];
  const list = element('<dl class="sg-numbers"></dl>');
  const interval = t('about_model.taught_interval', { low: tenths(taught.low), high: tenths(taught.high) });
  list.append(
    number('about_model.taught_accuracy', `${tenths(taught.accuracy)} · ${interval}`),
    number('about_model.taught_examples', formatNumber(taught.examples)),
  );
  const heads = ['class', 'examples', 'windows', 'recall'].map((head) => t(`about_model.taught_${head}`));
  const rows = classes.map((one) => [className(one.name), formatNumber(one.examples), formatNumber(one.windows), formatPercent(one.recall)]);
  const names = classes.map((one) => className(one.name));
  const limits = ['taught_limits', 'taught_licence'].map((key) => paragraph(t(`about_model.${key}`, { licence: made.licence ?? t('about_model.unstated') })));
  if (!taught.grouped) limits.unshift(paragraph(t('about_model.taught_alone')));
  const matrix = table([t('about_model.is'), ...names], confusion.map((row, i) => [names[i], ...row.map((count) => formatNumber(count))]));
  const sections = { taught_classes: [table(heads, rows)], taught_matrix: [matrix], limits };
  const parts = Object.entries(sections).map(([title, inside]) => {
    const box = document.createElement('section');
    box.append(textElement('h2', t(`about_model.${title}`)), ...inside);
    return box;
  });
  const head = t('about_model.head', { architecture: name, classes: classes.length, seconds: length });
  return [paragraph(head, 'sg-lead'), ...wrong ? [paragraph(wrong, 'sg-error')] : [], list, ...parts];
}

function number(name, value) {
  const row = document.createElement('div');
  row.append(textElement('dt', t(name)), textElement('dd', value));
  return row;
}

/** The replacement for figures that were not measured: the command that does it. */
function missing(command) {
  const sentence = paragraph(`${t('about_model.missing')} `, 'sg-missing');
  sentence.append(textElement('code', command));
  return sentence;
}

function numbers(held, unknown) {
  const list = element('<dl class="sg-numbers"></dl>');
  const figures = {
    'about_model.accuracy': held && tenths(held.accuracy),
    'about_model.clips': held && `${formatNumber(held.clips)} · ${t('about_model.folds', { folds: held.folds.join(', ') })}`,
    'about_model.ece': held && `${tenths(held.ece)} · ${t('about_model.before', { before: tenths(held.ece_before) })}`,
    'about_model.auroc': unknown && formatNumber(unknown.auroc, 3),
  };
  for (const [name, value] of Object.entries(figures)) {
    list.append(number(name, value ?? t('about_model.unmeasured')));
  }
  return list;
}

/** A processor, as training describes it in English, in the page's language. */
function deviceName(device) {
  const [, count, kind, load] = device.match(/^(\d+) CPU (cores|threads)(, under other load)?$/) ?? [];
  return count ? t(`about_model.device_${kind}`, { count }) + (load ? t('about_model.device_load') : '') : device;
}

function protocol({ made, spectrogram, figures: { held_out: held, history } }) {
  const { hours } = made;
  const time = hours < 1 ? t('about_model.minutes', { minutes: formatNumber(60 * hours) })
    : t('about_model.hours', { hours: formatNumber(hours, 1) });
  const [low, high, rate] = [spectrogram.fmin, spectrogram.fmax, spectrogram.sample_rate].map((hz) => formatNumber(hz));
  const valid = made.valid_fold ?? NONE;
  const sentence = t('about_model.protocol_said', {
    train: made.train_folds?.join(', ') ?? NONE, data: made.data?.split(/,| \(/)[0] ?? NONE, valid, epoch: made.epoch ?? NONE, seed: made.seed ?? NONE,
    time: Number.isFinite(hours) ? time : NONE, device: deviceName(made.device ?? NONE),
    bands: spectrogram.n_mels, low, high, rate, n_fft: spectrogram.n_fft, hop: spectrogram.hop_length,
  });
  const own = history?.valid_accuracy.at(-1);
  if (!(held?.folds.length > 1) || !Number.isFinite(own)) return sentence;
  return `${sentence} ${t('about_model.siblings', { valid, accuracy: tenths(own) })}`;
}

function curves(history) {
  const box = element('<div class="sg-charts"></div>');
  const [loss, accuracy] = [t('about_model.loss'), t('about_model.share')];
  const drawn = new Set();
  for (const [kind, unit, most] of /** @type {any[][]} */ ([['loss', loss, null], ['accuracy', accuracy, 1]])) {
    const series = Object.keys(SERIES)
      .map((part) => [part, history.epoch.map((epoch, i) => [epoch, history[`${part}_${kind}`][i]])])
      .filter(([, points]) => points.some(([, y]) => y !== null));
    for (const [part] of series) drawn.add(part);
    if (series.length) box.append(lines(`${t('about_model.curves')}: ${unit}`, t('about_model.epoch'), unit, series, most));
  }
  const key = element('<p class="sg-key"></p>');
  key.append(...[...drawn].map((part) => element(`<span><i class="sg-${part}"></i>${t(SERIES[part])}</span>`)));
  return [box, key];
}

function calibration(held, stored) {
  const title = ({ low, high, clips, accuracy }) => t('about_model.bin', {
    low: formatPercent(low), high: formatPercent(high), clips: formatNumber(clips), accuracy: tenths(accuracy),
  });
  const box = element('<div class="sg-charts"></div>');
  const [name, x, y] = [t('about_model.reliability'), t('about_model.confidence'), t('about_model.right')];
  const temperature = stored && formatNumber(stored.temperature, 2);
  const how = stored ? t('about_model.temperature', { temperature }) : t('about_model.plain');
  box.append(reliability(name, x, y, held.reliability, title), paragraph(`${t('about_model.reliability_said')} ${how}`));
  return [box];
}

function bar(name, share, value) {
  const row = element('<li><span></span><i><b></b></i><output></output></li>');
  row.firstChild.textContent = name;
  row.querySelector('b').style.width = `${100 * share}%`;
  row.lastChild.textContent = value;
  return row;
}

/** Accuracy after each distortion as bars, with a mark where the previous network was. */
function robustness({ accuracy, clips, fold, previous }) {
  const list = element('<ol class="sg-recall sg-robustness"></ol>');
  for (const [name, share] of Object.entries(accuracy)) {
    const [before, now] = [previous?.accuracy[name], tenths(share)];
    const measured = before !== undefined;
    const both = measured && t('about_model.robustness_before', { now, before: tenths(before) });
    const row = bar(distortion(name), share, both || now);
    if (measured) {
      row.querySelector('i').append(element('<u></u>'));
      row.querySelector('u').style.left = `${100 * before}%`;
    }
    list.append(row);
  }
  const sentences = [t('about_model.robustness_said', { clips: formatNumber(clips), fold })];
  if (previous) sentences.push(t('about_model.robustness_previous', { run: previous.run }));
  return [paragraph(sentences.join(' ')), list];
}

function distortion(name) {
  const known = `about_model.distortion_${name.replace(/\W/g, '_')}`;
  return texts.messages[known] ?? name;
}

/** Recall per class as bars, the hardest first or by name. */
function recall(held) {
  const list = element('<ol class="sg-recall"></ol>');
  const byName = (a, b) => className(a[0]).localeCompare(className(b[0]), language);
  const byRecall = (a, b) => a[1] - b[1] || byName(a, b);
  const rows = new Map(Object.entries(held.recall).sort(byRecall).map((entry) => {
    const [label, share] = entry;
    const row = bar(className(label), share, formatPercent(share));
    row.dataset.label = label;
    return [entry, row];
  }));
  list.append(...rows.values());
  const sort = element('<button type="button" class="sg-chip" aria-pressed="false" data-t="about_model.by_name"></button>');
  sort.addEventListener('click', () => {
    sort.ariaPressed = String(sort.ariaPressed !== 'true');
    const order = [...rows.keys()].sort(sort.ariaPressed === 'true' ? byName : byRecall);
    list.append(...order.map((entry) => rows.get(entry)));
  });
  return [sort, list];
}

function table(heads, rows) {
  const box = element('<div class="sg-scroll" tabindex="0"><table><thead></thead><tbody></tbody></table></div>');
  const fill = (part, tag, cells) => part.insertRow().append(...cells.map((cell) => textElement(tag, cell)));
  const { tHead, tBodies } = box.firstChild;
  fill(tHead, 'th', heads);
  for (const cells of rows) fill(tBodies[0], 'td', cells);
  return box;
}

function confused({ confused: pairs }) {
  if (!pairs.length) return [paragraph(t('about_model.none_confused'))];
  return [table([t('about_model.is'), t('about_model.taken'), t('about_model.clips')], pairs.slice(0, PAIRS).map((pair) =>
    [className(pair.true), className(pair.guess), formatNumber(pair.clips)]))];
}

function outOfDistribution({ fit_sounds: fitted, threshold, unsure_threshold: unsure, known, kinds, labels = [], refused = [], missed = [] }) {
  const name = (label) => label.replaceAll('_', ' ');
  const kind = (label) => (texts.messages[`about_model.kind_${label}`] ? t(`about_model.kind_${label}`) : name(label));
  const percent = (share) => (share === undefined ? NONE : tenths(share));
  const heads = ['kind', 'sounds', 'refused', 'unsure'].map((head) => t(`about_model.column_${head}`));
  const rows = (groups, last, named = kind) => groups.map((one) =>
    [named(one.name), formatNumber(one.sounds), percent(one.refused), percent(one.unsure), last(one)]);
  const auroc = (one) => (one.auroc === undefined ? NONE : formatNumber(one.auroc, 3));
  const examples = (which, list) => paragraph(t(`about_model.examples_${which}`, {
    examples: list.map((one) => `${name(one.label)} (${className(one.nearest)}, ${formatPercent(one.probability)})`).join('; '),
  }));
  const sounds = Object.entries(fitted).map(([label, count]) => `${kind(label)}: ${formatNumber(count)}`).join(', ');
  return [
    paragraph(t('about_model.unknown_said', { fitted: sounds, threshold: formatNumber(threshold, 2), unsure: formatNumber(unsure, 2) })),
    table([...heads, t('about_model.column_accuracy')], rows(known, (one) => percent(one.accuracy))),
    table([...heads, 'AUROC'], [...rows(kinds, auroc), ...rows(labels, auroc, name)]),
    ...refused.length ? [examples('refused', refused)] : [],
    ...missed.length ? [examples('missed', missed)] : [],
  ];
}

function maps({ shares, marked, random, loudest, outlined, clips, before }) {
  const heads = [t('about_model.covered'), t('about_model.marked'), t('about_model.elsewhere'), t('about_model.loudest')];
  const rows = shares.map((share, i) => [formatPercent(share), ...[marked, random, loudest].map((drops) => tenths(drops[i]))]);
  if (outlined) {
    const name = t('about_model.outlined', { share: formatPercent(outlined.share, 1) });
    rows.push([name, tenths(outlined.marked), tenths(outlined.random), NONE]);
  }
  return [paragraph(t('about_model.maps_said', { clips: formatNumber(clips), before: tenths(before) })), table(heads, rows)];
}

export const mount = mounting('.sg-about', AboutModel);
