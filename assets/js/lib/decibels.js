// Power in decibels.

const SILENCE = 1e-20; // -200 dB, the least

/** The level of a power in dB. @param {number} power */
export const powerToDb = (power) => 10 * Math.log10(Math.max(SILENCE, power));
