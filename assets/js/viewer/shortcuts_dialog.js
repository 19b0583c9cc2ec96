// Dialog of shortcuts and gestures, those of plugins included: `?`, or the overflow menu.

import { element, find } from '../lib/dom.js';
import { isTouch, t } from '../lib/i18n.js';
import { addToMore } from '../widgets/overflow_menu.js';
import { shortcut } from './shortcuts.js';
import { extend } from './viewer.js';

const GROUPS = ['tools', 'sound', 'shown', 'selection', 'display', 'rest'];
const GESTURES = [
  ['viewer_toolbar.gesture_click', 'viewer_toolbar.gesture_seek'],
  ['viewer_toolbar.gesture_wheel', 'viewer_toolbar.gesture_zoom'],
  ['viewer_toolbar.gesture_wheel_axis', 'viewer_toolbar.gesture_zoom_hz'],
  ['viewer_toolbar.gesture_shift_drag', 'viewer_toolbar.gesture_select'],
  ['viewer_toolbar.gesture_alt_drag', 'viewer_toolbar.gesture_box'],
  ['viewer_toolbar.gesture_double', 'viewer_toolbar.zoom_all'],
  ['viewer_toolbar.gesture_pinch', 'viewer_toolbar.gesture_zoom'],
];
const SIGNS = { ArrowLeft: '←', ArrowRight: '→', ArrowUp: '↑', ArrowDown: '↓', Backspace: '⌫', '-': '−' };

extend((viewer) => ({ keys: help(viewer) }));

/** Add the dialog to a view's overflow menu; return its shortcut. `viewer.gestures` replaces the gestures of 2D. */
export function help(viewer) {
  const open = () => showSheet(viewer);
  addToMore(viewer, 'keys', 'viewer_toolbar.help', '?', open);
  return { '?': { ...shortcut('viewer_toolbar.help', 'rest', open), always: true } };
}

function showSheet(viewer) {
  const before = document.activeElement;
  const sheet = element(`<dialog class="sg-dialog" aria-labelledby="sg-sheet-title"><header>
    <h2 id="sg-sheet-title" data-t="viewer_toolbar.help"></h2><button type="button" class="sg-tool" data-aria="page.close">×</button></header>
    <div class="sg-columns"></div></dialog>`);
  find(sheet, 'button').addEventListener('click', () => sheet.close());
  sheet.addEventListener('click', (event) => { if (event.target === sheet) sheet.close(); }); // the backdrop
  const lines = Object.entries(linesOf(viewer.keys()));
  const keys = GROUPS.map((name) => section(`viewer_toolbar.keys_${name}`, 'kbd', lines.filter(([, { group }]) => group === name)
    .map(([label, { names }]) => [names, label])));
  const gestures = (viewer.gestures ?? GESTURES).map(([gesture, label]) => [[t(gesture)], label]);
  const pointer = section('viewer_toolbar.keys_pointer', 'span', gestures);
  find(sheet, '.sg-columns').append(...(isTouch() ? [pointer, ...keys] : [...keys, pointer]).filter(Boolean));
  sheet.addEventListener('close', () => {
    sheet.remove();
    (before?.isConnected && before !== document.body ? before : viewer.plot).focus({ preventScroll: true });
  });
  viewer.host.append(sheet);
  sheet.showModal();
}

/** The shortcuts by what they do, those with the same text on one line. */
function linesOf(keys) {
  const lines = {};
  for (const [name, { label, group = 'rest' }] of Object.entries(keys)) {
    if (!label) continue;
    lines[label] ??= { group: GROUPS.includes(group) ? group : 'rest', names: [] };
    lines[label].names.push(nameOf(name));
  }
  return lines;
}

function nameOf(combination) {
  const sign = (part) => SIGNS[part] ?? (part.length === 1 ? part.toUpperCase() : part);
  if (combination === ' ') return t('viewer_toolbar.key_space');
  return (combination.length > 1 ? combination.split('+') : [combination]).map(sign).join(' ');
}

/** A section of the dialog; null without lines. */
function section(title, tag, lines) {
  if (!lines.length) return null;
  const box = element(`<section><h3 data-t="${title}"></h3><dl></dl></section>`);
  find(box, 'dl').append(...lines.map(([names, label]) => {
    const line = element(`<div><dt></dt><dd data-t="${label}"></dd></div>`);
    line.firstChild.append(...names.map((name) => {
      const key = document.createElement(tag);
      key.textContent = name;
      return key;
    }));
    return line;
  }));
  return box;
}
