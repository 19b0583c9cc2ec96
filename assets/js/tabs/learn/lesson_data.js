// What the steps of the lesson need of the open sound and of the network, each requested once.

import { RequestError, request, token } from '../../core/rpc.js';
import { state } from '../../core/state.js';
import { decodeBase64 } from '../../lib/dom.js';
import { parameters } from '../../viewer/parameters.js';
import { newestOnly } from '../newest_only.js';
import { spectrogram } from './formulas.js';

const EXCERPT_S = 3;
const PCM = 32767;

/** Decode 16-bit PCM in base64, scaled by its peak. */
function samplesOf({ samples, peak }) {
  const pcm = new Int16Array(decodeBase64(samples).buffer);
  return Float32Array.from(pcm, (value) => (value / PCM) * peak);
}

/** Where the excerpt begins: at the selection, or so that the loudest moment lies in its middle. */
function excerptStart({ seconds, envelope }) {
  if (state.selection) return state.selection.start;
  const levels = new Int8Array(decodeBase64(envelope).buffer);
  const columns = levels.length / 2;
  let loudest = 0;
  for (let i = 0; i < columns; i++) {
    const span = (/** @type {number} */ column) => levels[columns + column] - levels[column];
    if (span(i) > span(loudest)) loudest = i;
  }
  return Math.min(Math.max(0, ((loudest + 0.5) / columns) * seconds - EXCERPT_S / 2), Math.max(0, seconds - EXCERPT_S));
}

/** The data of the steps; null: not there yet. Of the open sound all but `facts`. */
export class LessonData {
  /** @type {{samples: Float32Array, rate: number, start: number} | null} the loudest seconds of the sound */
  excerpt = null;
  /** @type {any} an example sound at the same rate, to mix with */
  other = null;
  /** @type {any} activations, filters and answer of the network */
  network = null;
  /** @type {any} what is known of the network and its training */
  facts = null;
  /** @type {any} the last spectrogram, by its window and hop */
  last = null;
  /** @type {Record<string, Promise<void>>} requests under way */
  pending = {};
  /** @type {PromiseWithResolvers<void> | null} of the activations that are awaited */
  awaited = null;

  /**
   * @param {any} context
   * @param {import('./figure.js').Figure} figure
   * @param {AbortSignal} signal
   */
  constructor(context, figure, signal) {
    this.server = context.server;
    this.trigger = newestOnly(context, signal);
    this.figure = figure;
    this.signal = signal;
  }

  /** Forget what is of the sound. */
  forget() {
    this.pending = {};
    this.excerpt = this.other = this.network = this.last = null;
    this.awaited?.resolve();
    this.awaited = null;
  }

  /** Request what is needed and not there. */
  async get(needs) {
    const { pending } = this;
    await Promise.all(needs.filter((need) => !this[need]).map((need) => {
      pending[need] ??= this[`get_${need}`]().finally(() => { delete pending[need]; });
      return pending[need];
    }));
  }

  async get_excerpt() {
    const { id } = state.sound;
    const reply = await request(this.server.excerpt, { sound: id, start: excerptStart(state.sound) });
    if (this.signal.aborted || state.sound?.id !== id) return;
    this.excerpt = { samples: samplesOf(reply), rate: reply.rate, start: reply.start };
  }

  async get_other() {
    const { id } = state.sound;
    const reply = await request(this.server.other_sound, { sound: id });
    if (this.signal.aborted || state.sound?.id !== id) return;
    this.other = { samples: samplesOf(reply), rate: reply.rate, name: reply.name };
  }

  async get_facts() {
    const facts = await request(this.server.facts, {});
    if (!this.signal.aborted) this.facts = facts;
  }

  get_network() {
    this.awaited = Promise.withResolvers();
    this.trigger('layers', { token: token(), sound: state.sound.id });
    return this.awaited.promise;
  }

  /** Take the activations that the server sends. */
  take(reply) {
    if (!reply || reply.sound !== state.sound?.id || !this.awaited) return; // another sound was opened meanwhile
    if (reply.error) this.awaited.reject(new RequestError(reply));
    else this.network = reply;
    this.awaited.resolve();
    this.awaited = null;
  }

  /** The excerpt's spectrogram; the last one is kept. */
  spectrogram = (/** @type {number} */ size, /** @type {number} */ hop) => {
    if (this.last?.size !== size || this.last.hop !== hop) {
      this.last = { size, hop, ...spectrogram(this.excerpt.samples, size, hop) };
    }
    return this.last;
  };

  /** Settings of a view at the sound's own rate, as far as they are possible. */
  settings = (/** @type {Record<string, number>} */ wanted) => {
    const { limits } = parameters.spec;
    const rate = this.excerpt.rate;
    const inside = (/** @type {string} */ name, /** @type {number} */ value) =>
      Math.min(Math.max(value, limits[name][0]), limits[name][1]);
    const all = { sample_rate: rate, fmax: Math.min(parameters.values.fmax, rate / 2), ...wanted };
    return Object.fromEntries(Object.entries(all).map(([name, value]) => [name, inside(name, value)]));
  };
}
