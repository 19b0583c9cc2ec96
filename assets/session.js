// What all parts of the page share: the session with the server, the words, the open sound, its player and the time
// window that is shown. One module, so one state; changes are announced as events.

const SHORTEST_S = 0.01;
export const events = new EventTarget();
export const audio = new Audio();
audio.preload = 'auto';

export const state = {
  token: null,
  language: (navigator.language || 'en').toLowerCase().startsWith('ru') ? 'ru' : 'en',
  words: {},
  sound: null, // what the server said of the open sound
  shown: { start: 0, end: 1 }, // seconds
  band: null, // the shown frequencies, { low_hz, high_hz }; null: all that a view has
  selection: null, // or { start, end, low_hz, high_hz }: seconds and Hz; null for both Hz: all frequencies
};

let admit;
const admitted = new Promise((resolve) => { admit = resolve; });

export function announce(name, detail = {}) {
  events.dispatchEvent(new CustomEvent(name, { detail }));
}

let know;
/** Resolves once the words are there: modules are mounted in any order, the player brings the words. */
export const learned = new Promise((resolve) => { know = resolve; });

/** Take the words for the browser's language. */
export function learn(words) {
  state.words = words[state.language];
  document.documentElement.lang = state.language;
  know();
}

export function enter(token) {
  state.token = token;
  admit();
}

/** The text for a key with {names} filled in. */
export function word(key, values = {}) {
  return (state.words[key] ?? key).replace(/\{(\w+)\}/g, (_, name) => values[name] ?? '');
}

/** Whether fingers use the page: nothing hovers, and there is no Shift. */
export function byTouch() {
  return window.matchMedia('(pointer: coarse)').matches;
}

/** The text for a key, in its wording for fingers where they use the page. */
export function handWord(key) {
  return word(byTouch() ? `${key}_touch` : key);
}

/** What the server refused, in the user's language; `mend` is a change of parameters that would help. */
export class Refusal extends Error {
  constructor(answer) {
    super(answer.error);
    this.key = answer.key;
    this.mend = answer.mend;
    this.fields = answer.fields;
  }
}

/** Ask a server function; resolves to its answer or throws a Refusal. */
export async function ask(fn, request) {
  await admitted;
  let answer;
  try {
    answer = await fn({ token: state.token, ...request });
  } catch (error) {
    console.warn(error);
  }
  if (!answer || typeof answer !== 'object') throw new Refusal({ error: word('offline'), key: 'offline' });
  if (answer.error) throw new Refusal(answer);
  return answer.ok;
}

/** Run the newest of many calls: while one is under way, later ones replace each other. */
export function newest(work) {
  let running = false;
  let waiting = null;
  return async function call(...args) {
    if (running) {
      waiting = args;
      return;
    }
    running = true;
    try {
      await work(...args);
    } finally {
      running = false;
      if (waiting) {
        const next = waiting;
        waiting = null;
        call(...next);
      }
    }
  };
}

export function setSound(sound) {
  state.sound = sound;
  state.shown = { start: 0, end: sound.seconds };
  state.band = null;
  select(null);
  announce('sound');
}

/** Select a stretch of time, in all frequencies or between two of them, kept inside the sound; null: nothing. */
export function select(selection) {
  const before = state.selection;
  state.selection = selection && state.sound ? inside(selection, state.sound) : null;
  if (before || state.selection) announce('selection');
}

function inside(selection, { seconds, sample_rate: rate }) {
  const between = (a, b, most) => [a, b].map((value) => Math.min(Math.max(0, value), most)).sort((one, other) => one - other);
  const banded = (selection.low_hz ?? null) !== null && (selection.high_hz ?? null) !== null;
  const wanted = [selection.start, selection.end, ...(banded ? [selection.low_hz, selection.high_hz] : [])];
  if (!wanted.every(Number.isFinite)) throw new RangeError(`a selection of ${JSON.stringify(selection)}`);
  const [start, end] = between(selection.start, selection.end, seconds);
  const [low_hz, high_hz] = banded ? between(selection.low_hz, selection.high_hz, rate / 2) : [null, null];
  return end > start && (!banded || high_hz > low_hz) ? { start, end, low_hz, high_hz } : null;
}

/** Show another stretch of time, kept inside the sound and no shorter than 10 ms, and perhaps another band of frequencies.
 *
 * `follow`: the play head went there, not the user.
 */
export function show(start, end, { band = state.band, follow = false } = {}) {
  if (!state.sound) return;
  const total = state.sound.seconds;
  const span = Math.min(total, Math.max(Math.min(SHORTEST_S, total), end - start));
  start = Math.min(Math.max(0, start), total - span);
  state.shown = { start, end: start + span };
  state.band = band;
  announce('shown', { follow });
}

/** Show the whole sound in all its frequencies. */
export function showAll() {
  if (state.sound) show(0, state.sound.seconds, { band: null });
}

export function zoom(factor, at) {
  if (!state.sound) return;
  const { start, end } = state.shown;
  const now = audio.currentTime;
  const centre = at ?? (now > start && now < end ? now : (start + end) / 2); // the play head stays where it is seen
  const { seconds } = state.sound;
  const span = Math.min(seconds, Math.max(Math.min(SHORTEST_S, seconds), (end - start) * factor)); // at a limit nothing drifts
  const share = (centre - start) / (end - start);
  show(centre - share * span, centre + (1 - share) * span);
}

export function seek(seconds) {
  if (!state.sound) return;
  audio.currentTime = Math.min(Math.max(0, seconds), state.sound.seconds);
  announce('playhead');
}

export function togglePlay() {
  if (!state.sound) return;
  if (audio.paused) audio.play().catch((error) => { if (error.name !== 'AbortError') say(word('play_failed')); });
  else audio.pause();
}

/** Show a message that stays until it is closed or replaced. */
export function say(text, kind = 'error') {
  announce('message', { text, kind });
}

/** The address of a file that the server has put where it serves it from. */
export function fileAt(path) {
  return new URL(`gradio_api/file=${path.split('/').map(encodeURIComponent).join('/')}`, document.baseURI).href;
}

export function bytesOf(base64) {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = text.charCodeAt(i); // Uint8Array.from is ten times slower
  return bytes;
}

/** Seconds as a clock shows them: 0:04.50, 12:31, 1:00:00; hundredths only below ten minutes, unless `digits` says otherwise. */
export function clock(seconds, digits = seconds < 600 ? 2 : 0) {
  const whole = Number(Math.max(0, seconds).toFixed(digits)); // rounded before it is split: 59.996 is 1:00, not 0:60
  const h = Math.floor(whole / 3600);
  const m = Math.floor((whole % 3600) / 60);
  const s = (whole % 60).toFixed(digits).padStart(digits ? digits + 3 : 2, '0');
  return h ? `${h}:${String(m).padStart(2, '0')}:${s}` : `${m}:${s}`;
}

export function number(value, digits = 0) {
  return value.toLocaleString(state.language, { maximumFractionDigits: digits, minimumFractionDigits: digits });
}

/** An element from HTML text of ours; user data goes in by textContent only. */
export function element(html) {
  const template = document.createElement('template');
  template.innerHTML = html.trim();
  return template.content.firstElementChild;
}

/** Call `draw` on each frame while the sound plays, and once after each seek. */
export function followPlayhead(draw) {
  let frame = 0;
  const step = () => {
    draw(audio.currentTime);
    frame = audio.paused ? 0 : requestAnimationFrame(step);
  };
  const wake = () => { if (!frame) frame = requestAnimationFrame(step); };
  for (const name of ['play', 'pause', 'seeked', 'timeupdate', 'ended']) audio.addEventListener(name, wake);
  events.addEventListener('playhead', wake);
}
