// Calls of server functions under the session's token.

import { t } from '../lib/i18n.js';

/** @type {string | null} */
let sessionToken = null;
const ready = Promise.withResolvers();

/** Begin the session; requests wait for its token. */
export function setToken(token) {
  sessionToken = token;
  ready.resolve();
}

/** The session's token. */
export const token = () => sessionToken;

/** An error that the server replied with, in the user's language; `fix` holds parameters that would help. */
export class RequestError extends Error {
  constructor(reply) {
    super(reply.error);
    this.key = reply.key;
    this.fix = reply.fix;
    this.fields = reply.fields;
  }
}

/** Call a server function under the session's token; resolves to its reply or throws a RequestError.
 * @param {Function} fn
 * @param {object} query
 * @returns {Promise<any>}
 */
export async function request(fn, query) {
  await ready.promise;
  let reply;
  try {
    reply = await fn({ token: sessionToken, ...query });
  } catch (error) {
    console.warn(error);
  }
  if (!reply || typeof reply !== 'object') throw new RequestError({ error: t('page.offline'), key: 'offline' });
  if (reply.error) throw new RequestError(reply);
  return reply.ok;
}

/** Return a function that runs `work` once at a time; of the calls meanwhile only the latest follows.
 * @template {any[]} Args
 * @param {(...args: Args) => Promise<void>} work
 * @returns {(...args: Args) => Promise<void>}
 */
export function latestOnly(work) {
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
      const next = waiting;
      waiting = null;
      if (next) call(...next);
    }
  };
}
