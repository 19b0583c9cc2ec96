// Permalink: the address holds the example, how it is read, tab, visible range, selection, parameters and display settings that differ
// from the defaults, and restores them. Illegal fields are ignored and named.

import { MEAN, openChannel } from '../core/channels.js';
import { emit, events, showMessage, select, show, state, timeFactor } from '../core/state.js';
import { rescaled } from '../core/time_scale.js';
import { messagesReady, t } from '../lib/i18n.js';
import { FIELD_NAMES, FIELD_TABS, linkFields, restoreLinkFields } from '../core/link_fields.js';
import { DEFAULTS, changeDisplay, display, legalOf } from '../core/display_settings.js';
import { addToMore } from '../widgets/overflow_menu.js';
import { applyParameters, conflicts, isLegal, parameters, specReady } from './parameters.js';
import { ownSoundOfEntry, writeAddress } from '../core/page_history.js';
import { currentTab, openTab } from '../core/tabs.js';

const QUIET_MS = 300;
const SAME_LENGTH_S = 0.05;
const RANGES = ['example', 'channel', 'full_scale', 'time_expansion', 't', 'f', 'selection', 'length']; // fields of one sound
const FIRST_EXAMPLE = 'siren'; // opened where a link names no sound
const NO_EXAMPLE = 'none'; // a link's `example` that opens none

let waiting = null; // ranges of a link whose sound is not open yet
let timer = 0;
let opening = false; // a sound, perhaps in another tab: both are one entry of the browser's history
let wantedOfSound = new URLSearchParams(); // fields of a link for when its sound is open

/** Add "copy link" to a view's overflow menu. */
export function addLink(viewer) {
  addToMore(viewer, 'link', 'viewer_toolbar.copy_link', '', copy);
}

// a link is checked by the parameters' limits; and by then the player, which brings the texts, is made
Promise.all([messagesReady, specReady]).then(() => setTimeout(() => {
  restore();
  if (!['example', 'length'].some((name) => name in (waiting ?? {}))) openExample(exampleOption(FIRST_EXAMPLE), true);
  for (const name of ['sound', 'visible', 'selection', 'display', 'parameters']) events.addEventListener(name, later);
  events.addEventListener('open', () => { opening = true; });
  events.addEventListener('opened', () => {
    opening = false;
    later();
  });
  for (const name of ['click', 'keyup']) document.addEventListener(name, later); // a tab may have been opened
  let restored = ''; // the address that popstate has restored: hashchange follows, but not where two sounds are alike
  window.addEventListener('popstate', () => {
    restored = location.href;
    restore();
  });
  window.addEventListener('hashchange', () => {
    if (restored !== location.href) restore();
    restored = '';
  });
}));
events.addEventListener('sound', () => { if (waiting) showRanges(); });

function later() {
  clearTimeout(timer);
  timer = setTimeout(write, QUIET_MS);
}

function write() {
  if (opening) return;
  const fields = settings().toString();
  const address = location.pathname + location.search + (fields && `#${fields}`);
  writeAddress(address);
}

const list = (...numbers) => numbers.map((value) => Number(value.toFixed(4))).join(',');

/** Everything that differs from the defaults, as the fields of an address. */
function settings() {
  const tab = currentTab();
  const { possible, defaults } = parameters; // those of the picture, also while others are refused
  const changed = Object.entries(possible).filter(([name, value]) => value !== defaults[name]);
  return new URLSearchParams(/** @type {any} */ ({
    ...(tab && tab !== 'mel' && { view: tab }),
    ...(waiting ?? rangesNow()),
    ...Object.fromEntries(changed),
    ...displayNow(),
    ...(waiting && wantedOfSound.has('harmonics') && { harmonics: wantedOfSound.get('harmonics') }),
  }));
}

/** The display's settings and the components' that differ from the defaults. */
function displayNow() {
  const { low, high, smooth, colours, axes, second, lead } = display;
  return {
    ...(colours !== DEFAULTS.colours && { colours }),
    ...((low !== DEFAULTS.low || high !== DEFAULTS.high) && { levels: low === null ? `,${high}` : list(low, high) }),
    ...(smooth ? { smooth: '1' } : {}),
    ...((second !== DEFAULTS.second || lead !== DEFAULTS.lead) && { second: lead ? `${second},${lead}` : second }),
    ...Object.fromEntries(Object.entries(axes).map(([view, kind]) => [`axis_${view}`, kind])),
    ...linkFields(),
  };
}

/** All settings but those of one sound, as an object for a file. */
export function settingsNow() {
  const { harmonics, learn, compare, ...others } = /** @type {Record<string, any>} */ (displayNow());
  return { ...parameters.values, ...others };
}

/** Apply the settings of a file, checked as those of a link are. */
export function applySettings(settings) {
  const fields = new URLSearchParams(settings);
  const wrong = [...restoreSettings(fields), ...unknownOf(fields)];
  if (wrong.length) reportIgnored(wrong);
}

function restoreSettings(fields) {
  return [...restoreDisplay(fields), ...restoreParameters(fields), ...restoreLinkFields(fields)];
}

function unknownOf(fields) {
  const known = ['view', ...RANGES, 'colours', 'levels', 'smooth', 'second', ...FIELD_NAMES, ...Object.keys(parameters.values)];
  return [...fields.keys()].filter((name) => !known.includes(name) && !name.startsWith('axis_'));
}

function rangesNow() {
  if (!state.sound) return {};
  const { sound: { seconds, example, channel, full_scale, time_expansion }, visible: { start, end }, frequencyRange: band, selection } = state;
  return {
    ...(example ? { example } : { length: list(seconds) }),
    ...(channel !== MEAN && { channel }),
    ...(full_scale > 1 && { full_scale }),
    ...(time_expansion > 1 && { time_expansion }),
    ...((start > 0 || end < seconds) && { t: list(start, end) }),
    ...(band && { f: list(band.low_hz, band.high_hz) }),
    ...(selection && { selection: list(...Object.values(selection).filter((value) => value !== null)) }),
  };
}

function restore() {
  const fields = new URLSearchParams(location.hash.slice(1));
  if (!fields.toString()) return;
  const wrong = [...restoreSettings(fields), ...unknownOf(fields)];
  const own = Object.keys(FIELD_TABS).find((name) => fields.has(name));
  if (!openTab(fields.get('view') ?? FIELD_TABS[own] ?? 'mel')) wrong.push('view');
  wantedOfSound = fields;
  waiting = Object.fromEntries([...fields].filter(([name]) => RANGES.includes(name)));
  const { example, length } = waiting;
  const option = exampleOption(example);
  const ownSound = length === undefined ? null : ownSoundOfEntry();
  if (example !== undefined && example !== NO_EXAMPLE && !option) wrong.push('example');
  else if (ownSound) emit('reopen', { digest: ownSound });
  else if (state.sound && example === NO_EXAMPLE) waiting = null;
  else if (state.sound && (option ? example === state.sound.example : length !== undefined)) showRanges();
  else openExample(option);
  if (wrong.length) reportIgnored(wrong);
  else if (length !== undefined && !state.sound && !ownSound) {
    showMessage(t('viewer_toolbar.link_own', { seconds: length.slice(0, 12) }), 'note');
  }
}

/** The option of an example in the player, if there is one of this name. */
function exampleOption(name) {
  const options = /** @type {NodeListOf<HTMLOptionElement>} */ (document.querySelectorAll('.sg-example optgroup:first-of-type option'));
  return [...options].find(({ value }) => value === name);
}

/** Open an example; `first`: nobody asked for it. */
function openExample(option, first = false) {
  if (option) emit('open', { name: option.textContent, request: { example: option.value }, first });
}

/** Apply a link's display settings, for this visit; return the names of illegal fields. */
function restoreDisplay(fields) {
  const asked = /** @type {Record<string, any>} */ ({});
  const axes = [...fields].filter(([name]) => name.startsWith('axis_')).map(([name, kind]) => [name.slice(5), kind]);
  if (axes.length) asked.axes = Object.fromEntries(axes);
  if (fields.has('colours')) asked.colours = fields.get('colours');
  if (fields.has('second')) [asked.second, asked.lead = null] = fields.get('second').split(',');
  if (fields.has('smooth')) asked.smooth = fields.get('smooth') === '1';
  if (fields.has('levels')) {
    const [low, high] = fields.get('levels').split(',');
    [asked.low, asked.high] = [low ? Number(low) : null, Number(high || NaN)];
    if (asked.low !== null && !(asked.low < asked.high)) asked.high = NaN;
  }
  const { legal, wrong } = legalOf(asked);
  if (wrong.includes('low') || wrong.includes('high')) { // one alone would be another range
    delete legal.low;
    delete legal.high;
  }
  changeDisplay({ ...DEFAULTS, height: display.height, ...legal }, false);
  return wrong.map((name) => ({ low: 'levels', high: 'levels', axes: 'axis', lead: 'second' }[name] ?? name));
}

function restoreParameters(fields) {
  const legal = { ...parameters.defaults };
  const wrong = [];
  for (const [name, text] of fields) {
    if (!Object.hasOwn(legal, name)) continue;
    const number = Number(text || NaN);
    const value = [text, number].find((one) => isLegal(name, one));
    if (value !== undefined) legal[name] = value;
    else wrong.push(name);
  }
  for (const name of conflicts(legal)) { // impossible together
    if (legal[name] !== parameters.defaults[name]) wrong.push(name);
    legal[name] = parameters.defaults[name];
  }
  applyParameters(legal);
  return wrong;
}

/** Show a link's ranges, if the open sound is the one meant. */
function showRanges() {
  const given = waiting;
  const { example = null, selection = '', length, channel = MEAN } = given;
  const { reading, wrong } = readingOfLink(given);
  const factor = timeFactor(reading, state.sound); // of the link's times, until the sound is read as it says
  const seconds = state.sound.seconds / factor;
  waiting = null;
  if (example !== state.sound.example) return; // another one was opened meanwhile
  if (length !== undefined && Math.abs(Number(length) - seconds) > SAME_LENGTH_S) return;
  const pair = (text = '', most) => {
    const [low, high] = text.split(',').map((part) => Number(part || NaN));
    return low >= 0 && low < high && low < most ? [low, Math.min(high, most)] : null;
  };
  const [time, hz, chosen] = [pair(given.t, seconds), pair(given.f, 1e6), pair(selection, seconds)];
  const visible = rescaled({ start: time?.[0] ?? 0, end: time?.[1] ?? seconds }, factor);
  show(visible.start, visible.end, { frequencyRange: hz && rescaled({ low_hz: hz[0], high_hz: hz[1] }, factor) });
  const [low_hz, high_hz] = pair(selection.split(',').slice(2).join(','), 1e6) ?? [null, null];
  if (chosen) select(rescaled({ start: chosen[0], end: chosen[1], low_hz, high_hz }, factor));
  const taken = { t: time, f: hz, selection: chosen };
  wrong.push(...restoreLinkFields(wantedOfSound, true));
  wantedOfSound = new URLSearchParams();
  wrong.push(...Object.keys(taken).filter((name) => given[name] !== undefined && !taken[name]));
  if (wrong.length) reportIgnored(wrong);
  openChannel(channel, reading);
}

/** How a link says that the file is read, and the names of illegal fields. */
function readingOfLink(given) {
  const most = { full_scale: 2 ** 31, time_expansion: 100 };
  const reading = { full_scale: 1, time_expansion: 1 };
  const fields = Object.keys(most).filter((name) => given[name] !== undefined);
  const wrong = fields.filter((name) => !(Number(given[name]) >= 1 && Number(given[name]) <= most[name]));
  for (const name of fields) if (!wrong.includes(name)) reading[name] = Number(given[name]);
  return { reading, wrong };
}

function reportIgnored(names) {
  const fields = [...new Set(names)].map((name) => name.slice(0, 40)).join(', ');
  showMessage(t('viewer_toolbar.link_ignored', { fields }), 'note');
}

async function copy() {
  write();
  const own = state.sound && !state.sound.example;
  try {
    await navigator.clipboard.writeText(location.href);
    showMessage(t(own ? 'viewer_toolbar.link_copied_own' : 'viewer_toolbar.link_copied'), 'note');
  } catch { // no permission, or no https: the address bar has it, too
    showMessage(`${t('viewer_toolbar.link_take')} ${location.href}`, 'note');
  }
}
