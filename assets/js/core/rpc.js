// Calls of server functions under the session's token.

import { t } from '../lib/i18n.js';

let sessionToken = null;
let resolveToken;
const tokenReady = new Promise((resolve) => { resolveToken = resolve; });

/** Begin the session: calls that wait for its token go out. */
export function setToken(token) {
  sessionToken = token;
  resolveToken();
}

/** The session's token. */
export const token = () => sessionToken;

/** What the server refused, in the user's language; `fix` is a change of parameters that would help. */
export class RequestError extends Error {
  constructor(answer) {
    super(answer.error);
    this.key = answer.key;
    this.fix = answer.fix;
    this.fields = answer.fields;
  }
}

/** Ask a server function; resolves to its answer or throws a Refusal. */
export async function request(fn, query) {
  await tokenReady;
  let answer;
  try {
    answer = await fn({ token: sessionToken, ...query });
  } catch (error) {
    console.warn(error);
  }
  if (!answer || typeof answer !== 'object') throw new RequestError({ error: t('page.offline'), key: 'offline' });
  if (answer.error) throw new RequestError(answer);
  return answer.ok;
}

/** Run the newest of many calls: while one is under way, later ones replace each other. */
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
      if (waiting) {
        const next = waiting;
        waiting = null;
        call(...next);
      }
    }
  };
}
