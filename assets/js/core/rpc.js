// Calls of server functions under the session's token.

import { word } from '../lib/i18n.js';

let sessionToken = null;
let admit;
const admitted = new Promise((resolve) => { admit = resolve; });

/** Begin the session: calls that wait for its token go out. */
export function enter(token) {
  sessionToken = token;
  admit();
}

/** The session's token. */
export const token = () => sessionToken;

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
    answer = await fn({ token: sessionToken, ...request });
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
