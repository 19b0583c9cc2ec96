// About the model: measured figures as numbers and charts, protocol and limits. Figures not measured name their command.

import { request } from '../core/rpc.js';
import { lines, reliability } from '../lib/charts.js';
import { Component, mounting } from '../lib/component.js';
import { element, onResize, textElement as text } from '../lib/dom.js';
import { className, formatNumber, formatPercent, language, messages, t } from '../lib/i18n.js';
import { retryButton } from '../widgets/retry_button.js';

const CALIBRATE = 'python -m training calibrate runs/NAME';
const EXPLAIN_TEST = 'python -m training explain-test --save';
const ROBUSTNESS = 'python -m training robustness --save';
const PAIRS = 10;

class AboutModel extends Component {
  requested = false;

  constructor(host, { server, root }) {
    super(host, '');
    this.server = server;
    onResize(root, () => this.load(), this.signal); // a tab that opens gains a size
    this.load();
  }

  async load() {
    if (this.requested || !this.onScreen) return;
    this.requested = true;
    this.host.replaceChildren(text('p', t('about_model.wait')));
    try {
      this.host.replaceChildren(...page(await request(this.server.about, {})));
    } catch (error) {
      const retry = retryButton(() => { this.requested = false; this.load(); });
      this.host.replaceChildren(text('p', t('about_model.off'), 'sg-strong'), text('p', error.message, 'sg-error'), retry);
    }
  }
}

function page(about) {
  const { architecture, classes, clip_seconds: seconds, made } = about;
  const { held_out: held, unknown, history, deletion } = about.figures;
  const wrong = about.wrong ? [text('p', about.wrong, 'sg-error')] : [];
  return [
    text('p', t('about_model.head', { architecture: architecture.replace('resnet', 'ResNet'), classes, seconds: formatNumber(seconds, seconds % 1 ? 1 : 0) }), 'sg-lead'),
    ...wrong,
    numbers(held, unknown),
    section('about_model.protocol', [protocol(about)]),
    section('about_model.curves', history ? curves(history) : missing(CALIBRATE)),
    section('about_model.reliability', held ? calibration(held, about.calibration) : missing(CALIBRATE)),
    section('about_model.recall', held ? recall(held) : missing(CALIBRATE)),
    section('about_model.confused', held ? confused(held) : missing(CALIBRATE)),
    section('about_model.unknown', unknown ? outOfDistribution(unknown) : missing(`${CALIBRATE} --ood-run runs/OTHER`)),
    section('about_model.robustness', about.robustness ? robustness(about.robustness) : missing(ROBUSTNESS)),
    section('about_model.maps', deletion ? maps(deletion) : missing(EXPLAIN_TEST)),
    section('about_model.limits', [
      text('p', t('about_model.limits_said', { count: classes })),
      text('p', t('about_model.licence', { licence: made.licence ?? '—', data: made.data ?? '—' })),
    ]),
  ];
}

function section(title, parts) {
  const box = document.createElement('section');
  box.id = title.replace('about_model.', 'about_');
  box.append(text('h2', t(title)), ...parts);
  return box;
}

/** The replacement for figures that were not measured: the command that does it. */
function missing(command) {
  const sentence = text('p', `${t('about_model.missing')} `, 'sg-missing');
  sentence.append(text('code', command));
  return [sentence];
}

function numbers(held, unknown) {
  const list = element('<dl class="sg-numbers"></dl>');
  const add = (key, value) => {
    const row = document.createElement('div');
    row.append(text('dt', t(key)), text('dd', value ?? t('about_model.unmeasured')));
    list.append(row);
  };
  add('about_model.accuracy', held && formatPercent(held.accuracy, 1));
  add('about_model.clips', held && `${formatNumber(held.clips)} · ${t('about_model.folds', { folds: held.folds.join(', ') })}`);
  add('about_model.ece', held && `${formatPercent(held.ece, 1)} · ${t('about_model.before', { before: formatPercent(held.ece_before, 1) })}`);
  add('about_model.auroc', unknown && formatNumber(unknown.auroc, 3));
  return list;
}

function protocol({ made, spectrogram, figures: { held_out: held, history } }) {
  const known = (value) => value ?? '—';
  const { hours } = made;
  const long = hours >= 1 ? t('about_model.hours', { hours: formatNumber(hours, 1) }) : t('about_model.minutes', { minutes: formatNumber(60 * hours) });
  const sentence = t('about_model.protocol_said', {
    train: made.train_folds?.join(', ') ?? '—', valid: known(made.valid_fold), epoch: known(made.epoch), seed: known(made.seed),
    time: Number.isFinite(hours) ? long : '—', device: known(made.device), bands: spectrogram.n_mels,
    low: formatNumber(spectrogram.fmin), high: formatNumber(spectrogram.fmax), rate: formatNumber(spectrogram.sample_rate), n_fft: spectrogram.n_fft, hop: spectrogram.hop_length,
  });
  const own = history?.valid_accuracy.at(-1);
  if (!(held?.folds.length > 1) || !Number.isFinite(own)) return text('p', sentence);
  return text('p', `${sentence} ${t('about_model.siblings', { valid: known(made.valid_fold), accuracy: formatPercent(own, 1) })}`);
}

function curves(history) {
  const box = element('<div class="sg-charts"></div>');
  for (const [kind, most] of /** @type {any[][]} */ ([['loss', null], ['accuracy', 1]])) {
    const unit = t(kind === 'loss' ? 'about_model.loss' : 'about_model.share');
    const series = ['train', 'valid'].map((part) => [part, history.epoch.map((epoch, i) => [epoch, history[`${part}_${kind}`][i]])]);
    const measured = series.some(([, points]) => points.some(([, y]) => y !== null));
    if (measured) box.append(lines(`${t('about_model.curves')}: ${unit}`, t('about_model.epoch'), unit, series, most));
  }
  return [box, key([['train', 'about_model.train'], ['valid', 'about_model.valid']])];
}

function key(entries) {
  const box = element('<p class="sg-key"></p>');
  for (const [kind, sentence] of entries) {
    const entry = text('span', t(sentence));
    entry.prepend(element(`<i class="sg-${kind}"></i>`));
    box.append(entry);
  }
  return box;
}

function calibration(held, stored) {
  const title = (bin) => t('about_model.bin', {
    low: formatPercent(bin.low, 0), high: formatPercent(bin.high, 0), clips: formatNumber(bin.clips), accuracy: formatPercent(bin.accuracy, 1),
  });
  const box = element('<div class="sg-charts"></div>');
  box.append(reliability(t('about_model.reliability'), t('about_model.confidence'), t('about_model.right'), held.reliability, title));
  const sentence = stored ? t('about_model.temperature', { temperature: formatNumber(stored.temperature, 2) }) : t('about_model.plain');
  box.append(text('p', `${t('about_model.reliability_said')} ${sentence}`));
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
    const [before, now] = [previous?.accuracy[name], formatPercent(share, 1)];
    const measured = before !== undefined;
    const row = bar(distortion(name), share, measured ? t('about_model.robustness_before', { now, before: formatPercent(before, 1) }) : now);
    if (measured) {
      row.querySelector('i').append(element('<u></u>'));
      row.querySelector('u').style.left = `${100 * before}%`;
    }
    list.append(row);
  }
  const sentences = [t('about_model.robustness_said', { clips: formatNumber(clips), fold })];
  if (previous) sentences.push(t('about_model.robustness_previous', { run: previous.run }));
  return [text('p', sentences.join(' ')), list];
}

function distortion(name) {
  const known = `about_model.distortion_${name.replace(/\W/g, '_')}`;
  return messages[known] ?? name;
}

/** Recall per class as bars, the hardest first or by name. */
function recall(held) {
  const list = element('<ol class="sg-recall"></ol>');
  const rows = Object.entries(held.recall);
  const draw = (byName) => {
    const order = byName
      ? rows.sort(([a], [b]) => className(a).localeCompare(className(b), language))
      : rows.sort(([a, one], [b, other]) => one - other || className(a).localeCompare(className(b), language));
    list.replaceChildren(...order.map(([label, share]) => {
      const row = bar(className(label), share, formatPercent(share, 0));
      row.dataset.label = label;
      return row;
    }));
  };
  const sort = element('<button type="button" class="sg-chip" aria-pressed="false"></button>');
  sort.textContent = t('about_model.by_name');
  sort.addEventListener('click', () => {
    const byName = sort.getAttribute('aria-pressed') !== 'true';
    sort.setAttribute('aria-pressed', String(byName));
    draw(byName);
  });
  draw(false);
  return [sort, list];
}

function table(heads, rows) {
  const box = element('<div class="sg-scroll"><table><thead><tr></tr></thead><tbody></tbody></table></div>');
  box.querySelector('tr').append(...heads.map((head) => text('th', head)));
  for (const cells of rows) {
    const row = document.createElement('tr');
    row.append(...cells.map((cell) => text('td', cell)));
    box.querySelector('tbody').append(row);
  }
  return box;
}

function confused(held) {
  if (!held.confused.length) return [text('p', t('about_model.none_confused'))];
  const pairs = held.confused.slice(0, PAIRS);
  const heads = [t('about_model.is'), t('about_model.taken'), t('about_model.clips')];
  return [table(heads, pairs.map((pair) => [className(pair.true), className(pair.guess), formatNumber(pair.clips)]))];
}

function outOfDistribution(unknown) {
  const kind = (named) => {
    const key_ = `about_model.kind_${named.replace(/\W/g, '_')}`;
    return messages[key_] ? t(key_) : named;
  };
  const whose = unknown.left_out_classes.length ? 'other' : 'said';
  const sentence = t(`about_model.unknown_${whose}`, { caught: formatPercent(unknown.caught, 1), alarms: formatPercent(unknown.false_alarms, 1), auroc: formatNumber(unknown.auroc, 3) });
  const how = t(`about_model.score_${unknown.score}`, { threshold: formatNumber(unknown.threshold, 2) });
  const left = unknown.left_out_classes.length
    ? [text('p', t('about_model.left_out', { classes: unknown.left_out_classes.map(className).join(', ') }), 'sg-small')] : [];
  const rows = Object.entries(unknown.kinds).map(([one, auroc]) => [kind(one), formatNumber(auroc, 3)]);
  return [text('p', `${how} ${sentence}`), table([t('about_model.kind'), 'AUROC'], rows), ...left];
}

function maps(deletion) {
  const { shares, marked, random, loudest, clips, before } = deletion;
  const rows = shares.map((share, i) => [formatPercent(share), ...[marked, random, loudest].map((drops) => formatPercent(drops[i], 1))]);
  const sentence = t('about_model.maps_said', { clips: formatNumber(clips), before: formatPercent(before, 1) });
  const heads = [t('about_model.covered'), t('about_model.marked'), t('about_model.elsewhere'), t('about_model.loudest')];
  return [text('p', sentence), table(heads, rows)];
}

export const mount = mounting('.sg-about', AboutModel);
