// The sheet of keys and gestures: `?`, or the last menu of the toolbar. It lists the keys of extensions, too.

import { element } from '../lib/dom.js';
import { isTouch, t } from '../lib/i18n.js';
import { addToMore } from '../widgets/overflow_menu.js';
import { extend } from './viewer.js';

const GROUPS = ['tools', 'sound', 'shown', 'selection', 'display', 'rest'];
const POINTER = [
  ['viewer_toolbar.gesture_click', 'viewer_toolbar.gesture_seek'], ['viewer_toolbar.gesture_wheel', 'viewer_toolbar.gesture_zoom'], ['viewer_toolbar.gesture_wheel_axis', 'viewer_toolbar.gesture_zoom_hz'],
  ['viewer_toolbar.gesture_shift_drag', 'viewer_toolbar.gesture_select'], ['viewer_toolbar.gesture_alt_drag', 'viewer_toolbar.gesture_box'], ['viewer_toolbar.gesture_double', 'viewer_toolbar.zoom_all'],
  ['viewer_toolbar.gesture_pinch', 'viewer_toolbar.gesture_zoom'],
];
const SIGNS = { ArrowLeft: '←', ArrowRight: '→', ArrowUp: '↑', ArrowDown: '↓', Backspace: '⌫', '-': '−' };

extend((viewer) => ({ keys: help(viewer) }));

/** Give a viewer's last menu the line; return its key. What is done by pointer stands in `viewer.constructor.pointer`. */
export function help(viewer) {
  const open = () => showSheet(viewer);
  addToMore(viewer, 'keys', 'help', '?', open);
  return { '?': { word: 'viewer_toolbar.help', group: 'rest', always: true, run: open } };
}

function showSheet(viewer) {
  const before = document.activeElement;
  const sheet = element(`<dialog class="sg-sheet"><header><h2></h2><button type="button" class="sg-tool">×</button></header>
    <div class="sg-columns"></div></dialog>`);
  const title = sheet.querySelector('h2');
  title.textContent = t('viewer_toolbar.help');
  title.id = 'sg-sheet-title';
  sheet.setAttribute('aria-labelledby', title.id);
  const close = sheet.querySelector('button');
  close.setAttribute('aria-label', t('page.close'));
  close.addEventListener('click', () => sheet.close());
  sheet.addEventListener('click', (event) => { if (event.target === sheet) sheet.close(); }); // beside it
  const lines = Object.entries(linesOf(viewer.keys()));
  const keys = GROUPS.map((name) => section(t(`viewer_toolbar.keys_${name}`), 'kbd', lines.filter(([, { group }]) => group === name)
    .map(([text, { names }]) => [names, t(text)]))).filter(Boolean);
  const pointer = section(t('viewer_toolbar.keys_pointer'), 'span', (viewer.constructor.pointer ?? POINTER).map(([gesture, text]) => [[t(gesture)], t(text)]));
  sheet.querySelector('.sg-columns').append(...(isTouch() ? [pointer, ...keys] : [...keys, pointer]));
  sheet.addEventListener('close', () => {
    sheet.remove();
    (before?.isConnected && before !== document.body ? before : viewer.plot).focus({ preventScroll: true });
  });
  viewer.host.append(sheet);
  sheet.showModal();
}

/** The keys by what they do, those with the same word on one line. */
function linesOf(keys) {
  const lines = {};
  for (const [name, { word: text, group = 'rest' }] of Object.entries(keys)) {
    if (!text) continue;
    lines[text] ??= { group: GROUPS.includes(group) ? group : 'rest', names: [] };
    lines[text].names.push(nameOf(name));
  }
  return lines;
}

function nameOf(combination) {
  const parts = combination.length > 1 ? combination.split('+') : [combination];
  return parts.map((part) => SIGNS[part] ?? (part === ' ' ? t('viewer_toolbar.key_space') : part.length === 1 ? part.toUpperCase() : part)).join(' ');
}

function section(title, tag, lines) {
  if (!lines.length) return null;
  const box = element('<section><h3></h3><dl></dl></section>');
  box.querySelector('h3').textContent = title;
  for (const [names, text] of lines) {
    const line = element('<div><dt></dt><dd></dd></div>');
    line.firstChild.append(...names.map((name) => {
      const key = document.createElement(tag);
      key.textContent = name;
      return key;
    }));
    line.lastChild.textContent = text;
    box.querySelector('dl').append(line);
  }
  return box;
}
