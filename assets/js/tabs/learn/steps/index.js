// The steps of the lesson in their order.
//
// A step has a name (also its address and the end of its texts' keys), the tab it opens, sliders, what it needs (by default
// the excerpt), `draw(lesson, values)`, which draws the figure and returns what its caption says, and `open(lesson, values)`,
// which returns parameters to apply. `values` holds what the text says, `text` another key for it, `extra` elements below the figure, `sounds` what can be played.

import accuracy from './accuracy.js';
import decibels from './decibels.js';
import mel from './mel.js';
import mfcc from './mfcc.js';
import network from './network.js';
import samples from './samples.js';
import samplingRate from './sampling_rate.js';
import sines from './sines.js';
import surface from './surface.js';
import training from './training.js';
import window from './window.js';

/** @type {any[]} */
export const STEPS = [samples, samplingRate, sines, window, decibels, mel, mfcc, surface, network, training, accuracy];
