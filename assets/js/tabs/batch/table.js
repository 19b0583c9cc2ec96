// Table of classified files: class, confidence and a miniature timeline.

import { MEAN, channelName } from '../../core/channels.js';
import { answerName, network } from '../../core/network.js';
import { state } from '../../core/state.js';
import { element, textElement } from '../../lib/dom.js';
import { formatDuration, formatNumber, formatPercent, t } from '../../lib/i18n.js';
import { describeSegment, labelName, paintClass, toSegment, toUncertain } from '../../core/detections.js';
import { SortableTable } from '../../widgets/sortable_table.js';

/** What a file was classified as. */
export function classText({ overall, state: now }) {
  if (overall) return labelName(overall[0], overall[2]);
  return now === 'done' ? t('timeline.nothing_sure') : '';
}

/** Return a table of BatchFiles; `open(file)` follows a click on a classified one, `countLabels(file)`: those of the user's own. */
export function fileTable(table, open, countLabels, signal) {
  return new SortableTable(table, fileColumns(countLabels), {
    signal, by: 'file', caption: t('batch.table'), act: open,
    name: (one) => (one.state === 'done' ? t('batch.open', { name: one.name }) : ''),
    mark: (one) => Boolean(one.digest) && one.digest === state.sound?.digest,
  });
}

/** The columns of such a table. Where two networks are in use, the second's answers are a column of their own. */
export function fileColumns(countLabels) {
  const both = network.choice === 'both';
  return [
    { key: 'file', title: t('batch.column_file'), value: (one) => one.name, fill: (cell, one) => fillName(cell, one, countLabels(one)) },
    {
      key: 'class', title: both ? answerName(false) : t('timeline.column_class'), value: (one) => (one.state === 'refused' ? '\uffff' : classText(one)),
      fill: (cell, one) => fillClass(cell, one, classText(one)),
    },
    {
      key: 'probability', title: t('timeline.column_probability'), numeric: true, value: (one) => confidence(one) ?? -1,
      fill: (cell, one) => { cell.textContent = confidence(one) === null ? '' : formatPercent(confidence(one)); },
    },
    ...(both ? [{
      key: 'second', title: answerName(true), value: (one) => (one.second ? classText({ ...one.second, state: one.state }) : ''),
      fill: (cell, one) => { if (one.second) fillSecond(cell, { ...one.second, state: one.state }); },
    }] : []),
    {
      key: 'when', title: t('batch.column_when'),
      fill: (cell, one) => {
        if (one.state !== 'done') return;
        cell.append(miniature(one));
        if (one.second) cell.append(miniature({ ...one.second, seconds: one.seconds }));
      },
    },
    {
      key: 'length', title: t('timeline.column_duration'), numeric: true, value: (one) => one.seconds ?? -1,
      fill: (cell, one) => { cell.textContent = one.seconds === undefined ? '' : formatDuration(one.seconds); },
    },
  ];
}

/** The name, its folders in grey. */
function fillName(cell, one, nLabels) {
  const at = one.name.lastIndexOf('/') + 1;
  const whole = textElement('span', one.name.slice(at));
  if (at) whole.prepend(textElement('small', one.name.slice(0, at)));
  if (one.channel && one.channel !== MEAN) whole.append(textElement('small', ` ${channelName(one.channel)}`, 'sg-file-channel'));
  if (nLabels) whole.append(textElement('small', ` ${t('batch.labels', { count: formatNumber(nLabels) })}`));
  cell.append(whole);
}

/** The probability of the class; null where there is none. */
function confidence({ overall, state: now }) {
  return now === 'done' && overall && !['silence', 'unsure', 'unknown'].includes(overall[0]) ? overall[1] : null;
}

function fillClass(cell, one, label) {
  cell.classList.add('sg-file-class');
  cell.classList.toggle('sg-refused', one.state === 'refused');
  if (one.state === 'refused') [cell.textContent, cell.colSpan] = [one.error, network.choice === 'both' ? 5 : 4]; // the rest of the row
  else if (one.state === 'classifying') cell.textContent = t('batch.state_classifying', { share: formatPercent(one.share) });
  else if (one.state !== 'done') cell.textContent = t(`batch.state_${one.state}`);
  else {
    if (confidence(one) !== null) {
      const dot = element('<b class="sg-dot"></b>');
      paintClass(dot, one.overall[0]);
      cell.append(dot);
    }
    cell.append(label);
    if (one.differ?.length) {
      const answers = one.differ.map(([channel, name]) => `${channelName(channel)}: ${labelName(name)}`).join(', ');
      cell.append(textElement('small', ` ${t('batch.differ', { answers })}`, 'sg-differ'));
    }
    for (const note of one.notes) cell.append(textElement('small', ` ${note}`));
  }
}

/** The class and its confidence by the second network in use. */
function fillSecond(cell, answer) {
  if (confidence(answer) !== null) {
    const dot = element('<b class="sg-dot"></b>');
    paintClass(dot, answer.overall[0]);
    cell.append(dot);
  }
  cell.classList.add('sg-file-class');
  cell.append(classText(answer));
  if (confidence(answer) !== null) cell.append(textElement('small', ` ${formatPercent(confidence(answer))}`));
}

/** The whole file's timeline in one line. */
function miniature({ seconds, segments, silences, uncertain }) {
  const strip = element('<div class="sg-mini-timeline" role="img"></div>');
  const add = (start, end, name) => {
    const part = element(`<i class="${name}"></i>`);
    part.style.left = `${(100 * start) / seconds}%`;
    part.style.width = `${(100 * (end - start)) / seconds}%`;
    strip.append(part);
    return part;
  };
  for (const [start, end] of silences) add(start, end, 'sg-mini-silence').title = t('page.silence');
  for (const one of uncertain.map(toUncertain)) add(one.start, one.end, `sg-mini-${one.label}`).title = describeSegment(one);
  const texts = segments.map(toSegment).map((segment) => {
    const part = add(segment.start, segment.end, 'sg-mini-mark');
    paintClass(part, segment.label);
    part.title = describeSegment(segment);
    return part.title;
  });
  strip.ariaLabel = texts.slice(0, 20).join('; ') || t(silences.length ? 'page.silence' : 'timeline.nothing_sure');
  return strip;
}
