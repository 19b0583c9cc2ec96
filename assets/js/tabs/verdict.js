// What the network says of a clip: a class, none of those it knows, or silence, and how sure it is.

import { emit } from '../core/state.js';
import { element } from '../lib/dom.js';
import { className, formatNumber, t } from '../lib/i18n.js';

/** The box for an answer of the server. */
export function verdictOf(answer) {
  const box = element('<div class="sg-verdict"></div>');
  if (!answer.top.length) {
    box.append(line('sg-big', t('page.silence')), line('', t('classify.silence', answer)));
    return box;
  }
  const known = answer.verdict === answer.top[0][0];
  if (known) box.append(line('', t('classify.most_like')), line('sg-big', className(answer.verdict)));
  else box.append(line('sg-big', t('classify.unknown', answer)), line('', t('classify.unknown_why')));
  box.append(likeliest(answer, known));
  box.append(line('sg-small', t(answer.calibrated ? 'classify.numbers_calibrated' : 'classify.numbers_plain', answer)));
  return box;
}

/** The likeliest classes as bars, grey where none of them is meant; a click asks what speaks for a class. */
function likeliest(answer, known) {
  const list = element('<ol class="sg-bars"></ol>');
  list.toggleAttribute('data-guesses', !known);
  list.setAttribute('aria-label', t(known ? 'classify.probabilities' : 'classify.nearest', { top: answer.top.length, count: answer.count }));
  for (const [label, probability] of answer.top) {
    const row = element('<li><button type="button"><span></span><i><b></b></i><output></output></button></li>');
    const [button, output] = [row.firstChild, row.querySelector('output')];
    row.dataset.label = label;
    row.querySelector('span').textContent = className(label);
    row.querySelector('b').style.width = `${(100 * probability).toFixed(1)}%`;
    output.textContent = `${formatNumber(100 * probability, 1)} %`;
    button.title = t('saliency.ask', { name: className(label) });
    button.addEventListener('click', () => emit('explain', { label, start: answer.start }));
    list.append(row);
  }
  return list;
}

function line(kind, text) {
  const paragraph = element(`<p class="${kind}"></p>`);
  paragraph.textContent = text;
  return paragraph;
}
