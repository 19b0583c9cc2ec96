// A field for the name of a label, over the plot, with suggestions.

import { labels } from '../../core/labels.js';
import { events } from '../../core/state.js';
import { element, find } from '../../lib/dom.js';
import { t } from '../../lib/i18n.js';
import { MOST_LETTERS, shownName, suggestions, typedName } from './names.js';

let fields = 0;

/** Ask for a name under a viewer's plot, where the interval begins; Escape or a press elsewhere cancels.
 * @param {any} viewer
 * @param {{start: number, end: number}} interval
 * @param {string} name that stands in the field
 * @param {(name: string) => void} done
 */
export function askName(viewer, interval, name, done) {
  viewer.below.querySelector('.sg-name-field [type=button]')?.click();
  const id = `sg-names-${++fields}`;
  const form = element(`<form class="sg-name-field"><input type="text" list="${id}" maxlength="${MOST_LETTERS}" autocomplete="off"
    enterkeyhint="done" data-aria="labels.name"><datalist id="${id}"></datalist>
    <button type="submit" class="sg-tool" data-t="labels.ok"></button>
    <button type="button" class="sg-tool" data-aria="page.close">×</button></form>`);
  const input = find(form, 'input');
  const before = /** @type {HTMLElement} */ (document.activeElement);
  const closed = new AbortController();
  const close = (refocus) => {
    if (closed.signal.aborted) return;
    closed.abort();
    form.remove();
    if (refocus) (before?.isConnected && before !== document.body ? before : viewer.plot).focus({ preventScroll: true });
  };
  find(form, 'datalist').append(...suggestions().map((one) => new Option(one, one)));
  input.placeholder = t('labels.name');
  input.value = name && shownName(name);
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const typed = typedName(input.value);
    if (!typed) return input.focus();
    labels.lastName = typed;
    close(true);
    done(typed);
  });
  form.addEventListener('keydown', (event) => {
    event.stopPropagation(); // the views and lanes have shortcuts
    if (event.key === 'Escape') close(true);
  });
  find(form, '[type=button]').addEventListener('click', () => close(true));
  form.addEventListener('focusout', ({ relatedTarget }) => { if (relatedTarget && !form.contains(relatedTarget)) close(false); });
  events.addEventListener('sound', () => close(false), { signal: AbortSignal.any([closed.signal, viewer.signal]) }); // the interval has other times
  viewer.below.prepend(form);
  const most = Math.max(0, viewer.below.clientWidth - form.offsetWidth);
  form.style.left = `${Math.min(most, Math.max(0, viewer.xOf(interval.start)))}px`;
  input.focus({ preventScroll: true });
  input.select();
  form.scrollIntoView({ block: 'nearest' });
}
