// Pauses.

/** Resolves after some milliseconds. @param {number} ms @returns {Promise<void>} */
export const wait = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });
