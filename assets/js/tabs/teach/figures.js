// What the cross-validation of taught classes found: accuracy, confusion matrix and the examples it gets wrong.

import { Component } from '../../lib/component.js';
import { decodeBase64, element, textElement } from '../../lib/dom.js';
import { className, formatNumber, formatPercent, t } from '../../lib/i18n.js';
import { paintLevels } from '../../lib/thumbnails.js';

const SKELETON = `
  <p class="sg-big"></p>
  <p class="sg-small sg-interval"></p>
  <div class="sg-scroll"><table class="sg-table sg-matrix"></table></div>
  <h3 class="sg-wrong-title"></h3>
  <ul class="sg-wrong"></ul>`;
const WRONG = `
  <li>
    <button type="button" class="sg-thumb"><canvas></canvas></button>
    <div><p class="sg-strong"></p><p class="sg-small"></p>
      <div class="sg-sources"><label class="sg-small"><span data-t="teach.move"></span><select></select></label>
        <button type="button" class="sg-chip sg-drop-example" data-t="teach.drop"></button></div></div>
  </li>`;

export class Figures extends Component {
  /** @param {any} host
   * @param {{play: Function, move: Function, drop: Function}} acts
   */
  constructor(host, acts) {
    super(host, SKELETON);
    this.acts = acts;
    host.hidden = true;
  }

  /**
   * @param {any} figures as in `figures.json`
   * @param {any[]} wrong the examples taken for another class
   */
  draw(figures, wrong) {
    const names = figures.classes.map(({ name }) => name);
    this.host.hidden = false;
    this.find('.sg-big').textContent = t('teach.accuracy', { accuracy: formatPercent(figures.accuracy) });
    const interval = t('teach.interval', {
      count: formatNumber(figures.examples), low: formatPercent(figures.low), high: formatPercent(figures.high),
    });
    const limits = [!figures.grouped && t('teach.one_recording'), !figures.other && t('teach.no_other')];
    this.find('.sg-interval').textContent = [interval, ...limits].filter(Boolean).join(' ');
    this.drawMatrix(names, figures.confusion);
    this.find('.sg-wrong-title').textContent = wrong.length ? t('teach.wrong', { count: wrong.length }) : t('teach.none_wrong');
    this.find('.sg-wrong').replaceChildren(...wrong.map((one) => this.row(one, names)));
  }

  drawMatrix(names, confusion) {
    const table = this.find('.sg-matrix');
    table.innerHTML = '<caption class="sg-visually-hidden"></caption><thead><tr><td></td></tr></thead><tbody></tbody>';
    table.caption.textContent = t('teach.matrix');
    table.tHead.rows[0].cells[0].textContent = t('teach.matrix_corner');
    table.tHead.rows[0].append(...names.map((name) => heading('col', name)));
    table.tBodies[0].append(...confusion.map((row, i) => {
      const line = document.createElement('tr');
      const total = row.reduce((sum, count) => sum + count, 0);
      line.append(heading('row', names[i]), ...row.map((count, j) => {
        const cell = textElement('td', count ? formatNumber(count) : '·', i === j ? 'sg-right-guess' : count ? 'sg-wrong-guess' : '');
        cell.style.setProperty('--share', String(count / (total || 1)));
        return cell;
      }));
      return line;
    }));
  }

  row(one, names) {
    const row = element(WRONG);
    const [button, select] = [row.querySelector('.sg-thumb'), row.querySelector('select')];
    const [title, text] = row.querySelectorAll('p');
    paintLevels(row.querySelector('canvas'), { levels: decodeBase64(one.thumbnail), rows: one.rows, columns: one.columns });
    button.ariaLabel = button.title = t('teach.play', { name: one.name });
    button.addEventListener('click', () => this.acts.play(one));
    title.textContent = one.name;
    const [label, guess] = [one.label, one.guess].map(className);
    text.textContent = t('teach.taken_for', { label, guess, probability: formatPercent(one.probability) });
    select.append(...names.map((name) => new Option(className(name), name)));
    select.value = one.label;
    select.addEventListener('change', () => this.acts.move(one, select.value));
    row.querySelector('.sg-drop-example').addEventListener('click', () => this.acts.drop(one));
    return row;
  }
}

function heading(scope, name) {
  const cell = textElement('th', className(name));
  cell.setAttribute('scope', scope);
  return cell;
}
