// Plotly traces and layout of the 3D view, and the geometry of its playhead.

import { t } from '../lib/i18n.js';
import { frequencyLabel } from '../lib/canvas_axes.js';
import { frequencyAxis, frequencyTicks, hzToMel } from '../lib/frequency_axis.js';
import { table } from '../lib/colormaps.js';
import { timeTicks } from '../lib/time_axis.js';
import { display, displayedRange } from '../core/display_settings.js';
import { levelAxis } from '../viewer/parameters.js';
import { columnAt } from '../viewer/plot.js';

export const LIGHTS = {
  ridges: { ambient: 0.36, diffuse: 0.95, specular: 0.22, roughness: 0.5, fresnel: 0.1 },
  soft: { ambient: 0.62, diffuse: 0.7, specular: 0.12, roughness: 0.7, fresnel: 0.15 },
  glossy: { ambient: 0.45, diffuse: 0.75, specular: 0.75, roughness: 0.3, fresnel: 0.4 },
  flat: { ambient: 1, diffuse: 0, specular: 0, roughness: 1, fresnel: 0 },
};
const STOPS = 33; // of the colour map: Plotly draws straight between them
const SUN = { x: -1.5e4, y: -4e3, z: 0.9e4 }; // low, from the left: slopes in time and in frequency differ in brightness
const GAP = 0.3; // between the surface and its floor, in the units of Plotly's `aspectratio`
const LIFT = 0.012; // of the level range: height of the profile above the surface, and margin at both ends of the axis

/** Position of a frequency on its axis: in mel, or in Hz for the STFT. */
const position = (data, hz) => (data.of === 'mel' ? hzToMel(hz, data.mel_scale) : hz);
const decibels = ({ low_db: low, high_db: high }) => (level) => low + (level / 255) * (high - low);

/** Times of the columns' middles. */
const middles = ({ start, end, columns }) => (
  Array.from({ length: columns }, (_, column) => start + ((column + 0.5) * (end - start)) / columns));
const levelsDb = ({ levels, rows, columns, low_db: low, high_db: high }) => (
  Array.from({ length: rows }, (_, row) => (
    Array.from(levels.subarray(row * columns, (row + 1) * columns), decibels({ low_db: low, high_db: high })))));

/** Plotly's colour scale of the display's colours. */
function colourScale() {
  const colours = table(display.colours);
  return Array.from({ length: STOPS }, (_, i) => {
    const colour = colours[Math.round((255 * i) / (STOPS - 1))];
    return [i / (STOPS - 1), `rgb(${colour & 255},${(colour >> 8) & 255},${(colour >> 16) & 255})`]; // Plotly wants commas
  });
}

/** Level of the floor: `GAP` below the surface at any height of it. */
const floorDb = ({ low_db: low, high_db: high }, height) => low - (GAP / height) * (high - low);

/** The spectrogram from above, on the floor. */
function floorTrace(data, height, levels) {
  const [cmin, cmax] = displayedRange(data).map((below) => data.high_db + below);
  const floor = floorDb(data, height);
  return {
    type: 'surface',
    x: middles(data),
    y: data.centres_hz.map((hz) => position(data, hz)),
    z: data.centres_hz.map(() => Array(data.columns).fill(floor)),
    surfacecolor: levels,
    colorscale: colourScale(),
    cmin,
    cmax,
    showscale: false,
    hoverinfo: 'none', // its time is pointed at, too
    lighting: LIGHTS.flat,
    contours: { x: { highlight: false }, y: { highlight: false }, z: { highlight: false } },
  };
}

/** The surface and its floor, in the colours and the level range of all views. */
export function surfaceTraces(data, { light, height }, bar) {
  const levels = levelsDb(data);
  return [surfaceTrace(data, light, bar, levels), floorTrace(data, height, levels)];
}

function surfaceTrace(data, light, bar, levels) {
  const { columns, high_db: high, centres_hz: centres } = data;
  const [cmin, cmax] = displayedRange(data).map((below) => high + below);
  return {
    type: 'surface',
    x: middles(data),
    y: centres.map((hz) => position(data, hz)),
    z: levels,
    customdata: Array(columns).fill(centres), // Plotly looks it up by column, then row
    hovertemplate:
      `%{x:.3f} ${t('page.unit_s')} · %{customdata:.0f} ${t('page.unit_hz')} · %{z:.1f} ${t('page.unit_db')}<extra></extra>`,
    colorscale: colourScale(),
    cmin,
    cmax,
    showscale: bar,
    colorbar: { thickness: 10, len: 0.62, outlinewidth: 0, ticksuffix: ` ${t('page.unit_db')}`, x: 1, xpad: 4 },
    lighting: LIGHTS[light],
    lightposition: SUN,
    contours: { x: { highlight: false }, y: { highlight: false }, z: { highlight: false } },
  };
}

/** The corners of the plane at a time, as [x, y, z][]. */
export function planeAt(data, time) {
  const { centres_hz: centres, low_db: low, high_db: high } = data;
  const [bottom, top] = [position(data, centres[0]), position(data, centres.at(-1))];
  return [[time, bottom, low], [time, top, low], [time, top, high], [time, bottom, high]];
}

/** The profile where the plane cuts the surface, as [x, y, z][]. */
export function profileAt(data, time) {
  const { levels, columns, low_db: low, high_db: high, centres_hz: centres } = data;
  const [db, column, lift] = [decibels(data), columnAt(data, time), LIFT * (high - low)];
  return centres.map((hz, row) => [time, position(data, hz), db(levels[row * columns + column]) + lift]);
}

/** Axes, proportions and camera; the constant `uirevision` makes Plotly keep a camera turned by the pointer. */
export function sceneLayout(data, { height, camera, ink, line, family, narrow, shape }) {
  const { centres_hz: centres, mel_scale: scale, low_db: low, high_db: high } = data;
  const kind = data.of === 'mel' ? 'mel' : 'linear';
  const marks = frequencyTicks(frequencyAxis(kind, centres[0], centres[centres.length - 1], scale), kind, narrow ? 0.2 : 0.12);
  const axis = {
    color: ink, gridcolor: line, zerolinecolor: line, linecolor: line, showbackground: false, showspikes: false,
    tickfont: { size: narrow ? 10 : 11 }, ticklen: 4,
  };
  const title = (text) => ({ text, font: { size: 12 } });
  const lift = LIFT * (high - low);
  const times = timeTicks(data.start, data.end, narrow ? 5 : 9);
  return {
    margin: { l: 0, r: 0, t: 0, b: 0 },
    paper_bgcolor: 'rgba(0,0,0,0)',
    font: { color: ink, family, size: 11 },
    uirevision: 'kept',
    hoverlabel: { font: { family, size: 12 } },
    scene: {
      camera,
      dragmode: 'turntable', // the level axis stays upright, as with the keys
      aspectmode: 'manual',
      aspectratio: { x: narrow ? 1.25 : Math.min(2.4, Math.max(1.5, 1.05 * shape)), y: 1.05, z: height + GAP },
      xaxis: {
        ...axis,
        title: title(times.name),
        tickvals: times.marks.map(([time]) => time),
        ticktext: times.marks.map(([, text]) => text),
        range: [data.start, data.end],
      },
      yaxis: {
        ...axis,
        title: title(t('page.freq_axis')),
        tickvals: marks.map((hz) => position(data, hz)),
        ticktext: marks.map(frequencyLabel),
      },
      zaxis: {
        ...axis,
        title: title(narrow ? '' : levelAxis(data.request.config.db_ref)), // a phone's edge would cut it
        tickvals: levelTicks(low, high),
        ...narrow && { ticktext: levelTicks(low, high).map((level) => `${level} ${t('page.unit_db')}`.replace('-', '−')) },
        range: [floorDb(data, height) - lift, high + lift],
      },
    },
  };
}

/** Whole tens or twenties of dB within a range. */
function levelTicks(low, high) {
  const step = high - low > 45 ? 20 : 10;
  const first = Math.ceil(low / step);
  return Array.from({ length: Math.max(0, Math.floor(high / step) - first + 1) }, (_, i) => (first + i) * step);
}
