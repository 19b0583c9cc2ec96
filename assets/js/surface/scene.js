// Plotly traces and layout of the 3D view, and the geometry of its play head.

import { t } from '../lib/i18n.js';
import { hertz } from '../lib/canvas_axes.js';
import { frequencyAxis, frequencyTicks, hzToMel } from '../lib/frequency_axis.js';
import { table } from '../lib/colormaps.js';
import { timeTicks } from '../lib/time_axis.js';
import { display, displayedRange } from '../core/display_settings.js';
import { levelAxis } from '../viewer/parameters.js';
import { columnAt } from '../viewer/plot.js';

export const LIGHTS = {
  soft: { ambient: 0.62, diffuse: 0.7, specular: 0.12, roughness: 0.7, fresnel: 0.15 },
  glossy: { ambient: 0.45, diffuse: 0.75, specular: 0.75, roughness: 0.3, fresnel: 0.4 },
  flat: { ambient: 1, diffuse: 0, specular: 0, roughness: 1, fresnel: 0 },
};
const STOPS = 33; // of the colour map: Plotly draws straight between them
const LIFT = 0.012; // of the level range: height of the profile above the surface, and margin at both ends of the axis

/** Position of a frequency on its axis: in mel, or in Hz for the STFT. */
const position = (data, hz) => (data.of === 'mel' ? hzToMel(hz, data.mel_scale) : hz);
const decibels = ({ low_db: low, high_db: high }) => (level) => low + (level / 255) * (high - low);

/** The surface, in the colours and the level range of all views. */
export function surfaceTrace(data, light, bar) {
  const { levels, rows, columns, low_db: low, high_db: high, centres_hz: centres } = data;
  const colours = table(display.colours);
  const db = decibels(data);
  const [cmin, cmax] = displayedRange(data).map((below) => high + below);
  const seconds = (data.end - data.start) / columns;
  return {
    type: 'surface',
    x: Array.from({ length: columns }, (_, column) => data.start + (column + 0.5) * seconds),
    y: centres.map((hz) => position(data, hz)),
    z: Array.from({ length: rows }, (_, row) => Array.from(levels.subarray(row * columns, (row + 1) * columns), db)),
    customdata: centres.map((hz) => Array(columns).fill(hz)),
    hovertemplate:
      `%{x:.3f} ${t('page.unit_s')} · %{customdata:.0f} ${t('page.unit_hz')} · %{z:.1f} ${t('page.unit_db')}<extra></extra>`,
    colorscale: Array.from({ length: STOPS }, (_, i) => {
      const colour = colours[Math.round((255 * i) / (STOPS - 1))];
      return [i / (STOPS - 1), `rgb(${colour & 255},${(colour >> 8) & 255},${(colour >> 16) & 255})`]; // Plotly wants commas
    }),
    cmin,
    cmax,
    showscale: bar,
    colorbar: { thickness: 10, len: 0.62, outlinewidth: 0, ticksuffix: ` ${t('page.unit_db')}`, x: 1, xpad: 4 },
    lighting: LIGHTS[light],
    lightposition: { x: -1e4, y: -1.2e4, z: 1.6e4 },
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
export function sceneLayout(data, { height, camera, ink, line, family, narrow }) {
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
      dragmode: 'orbit',
      aspectmode: 'manual',
      aspectratio: { x: narrow ? 1.25 : 1.8, y: 1.05, z: height },
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
        ticktext: marks.map(hertz),
      },
      zaxis: { ...axis, title: title(levelAxis(data.request.config.db_ref)), nticks: 5, range: [low - lift, high + lift] },
    },
  };
}
