// Dialog of shortcuts and gestures, those of plugins included: `?`, or the overflow menu.

import { element, find, textElement } from '../lib/dom.js';
import { isTouch, t } from '../lib/i18n.js';
import { addToMore } from '../widgets/overflow_menu.js';
import { shortcut } from './shortcuts.js';

const GROUPS = ['tools', 'sound', 'shown', 'selection', 'labels', 'display', 'rest'];
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

/** Add the dialog to a view's overflow menu; return its shortcut. `viewer.gestures` replaces the gestures of 2D. */
export function shortcutsDialog(viewer) {
  const open = () => show(viewer);
  addToMore(viewer, 'keys', 'viewer_toolbar.help', '?', open);
  return { keys: { '?': { ...shortcut('viewer_toolbar.help', 'rest', open), always: true } } };
}

function show(viewer) {
  const dialog = element(`<dialog class="sg-dialog" aria-labelledby="sg-sheet-title"><header>
    <h2 id="sg-sheet-title" data-t="viewer_toolbar.help"></h2>
    <button type="button" class="sg-tool" data-aria="page.close">×</button></header>
    <div class="sg-columns"></div></dialog>`);
  find(dialog, 'button').addEventListener('click', () => dialog.close());
  dialog.addEventListener('click', (event) => { if (event.target === dialog) dialog.close(); }); // the backdrop
  const keys = GROUPS.map((name) => section(`viewer_toolbar.keys_${name}`, 'kbd', linesOf(viewer.keys(), name)));
  const gestures = (viewer.gestures ?? GESTURES).map(([gesture, label]) => [label, [t(gesture)]]);
  const pointer = section('viewer_toolbar.keys_pointer', 'span', gestures);
  find(dialog, '.sg-columns').append(...(isTouch() ? [pointer, ...keys] : [...keys, pointer]));
  dialog.addEventListener('close', () => dialog.remove());
  (viewer.onScreen ? viewer.host : document.querySelector('.sg-player')).append(dialog); // a hidden one can't show it
  dialog.showModal();
}

/** [label, keys][] of a group; keys that do the same are on one line. */
function linesOf(keys, group) {
  const lines = {};
  for (const [name, key] of Object.entries(keys)) if (key.group === group) (lines[key.label] ??= []).push(nameOf(name));
  return Object.entries(lines);
}

function nameOf(combination) {
  const sign = (part) => SIGNS[part] ?? (part.length === 1 ? part.toUpperCase() : part);
  if (combination === ' ') return t('viewer_toolbar.key_space');
  if (combination.length === 1) return sign(combination);
  return combination.split('+').flatMap((part) => (/^[A-Z]$/.test(part) ? ['Shift', part] : [sign(part)])).join(' ');
}

/** A section of the dialog; nothing without lines. */
function section(title, tag, lines) {
  if (!lines.length) return '';
  const box = element(`<section><h3 data-t="${title}"></h3><dl></dl></section>`);
  find(box, 'dl').append(...lines.map(([label, names]) => {
    const line = element(`<div><dt></dt><dd data-t="${label}"></dd></div>`);
    line.firstChild.append(...names.map((name) => textElement(tag, name)));
    return line;
  }));
  return box;
}
