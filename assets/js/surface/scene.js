// A sound in 3D: what Plotly draws of it, the surface over time and frequency, and where a plane and a profile at a time lie.

import { formatNumber, t } from '../lib/i18n.js';
import { frequencyAxis, frequencyTicks, hzToMel } from '../lib/frequency_axis.js';
import { table } from '../lib/colormaps.js';
import { display } from '../core/display_settings.js';

export const CAMERAS = {
  corner: { eye: { x: -1.06, y: -1.68, z: 1.1 }, up: { x: 0, y: 0, z: 1 }, center: { x: -0.06, y: 0.04, z: -0.14 } },
  above: { eye: { x: 0, y: -0.01, z: 2.1 }, up: { x: 0, y: 0, z: 1 }, center: { x: 0, y: 0, z: 0 } },
  side: { eye: { x: 0, y: -2.3, z: 0.4 }, up: { x: 0, y: 0, z: 1 }, center: { x: 0, y: 0, z: -0.05 } },
  waterfall: { eye: { x: -2.1, y: 0.37, z: 0.8 }, up: { x: 0, y: 0, z: 1 }, center: { x: 0, y: 0, z: -0.14 } },
};
export const LIGHTS = {
  soft: { ambient: 0.62, diffuse: 0.7, specular: 0.12, roughness: 0.7, fresnel: 0.15 },
  glossy: { ambient: 0.45, diffuse: 0.75, specular: 0.75, roughness: 0.3, fresnel: 0.4 },
  flat: { ambient: 1, diffuse: 0, specular: 0, roughness: 1, fresnel: 0 },
};
const STOPS = 33; // of the colour map: Plotly draws straight between them
const LIFT = 0.012; // of the depth in dB, by which the profile floats over the surface that it lies on, and room at both ends

/** Where a frequency stands on the axis: in mel, or in Hz for the STFT. */
const place = (data, hz) => (data.of === 'mel' ? hzToMel(hz, data.mel_scale) : hz);
const timesOf = ({ columns, start, end }) => Array.from({ length: columns }, (_, c) => start + ((c + 0.5) / columns) * (end - start));
const decibels = ({ low_db: low, high_db: high }) => (level) => low + (level / 255) * (high - low);

/** The surface itself, its colours under the levels that all views share. */
export function surfaceTrace(data, light, bar) {
  const { levels, rows, columns, low_db: low, high_db: high, centres_hz: centres } = data;
  const colours = table(display.colours);
  const db = decibels(data);
  return {
    type: 'surface',
    x: timesOf(data),
    y: centres.map((hz) => place(data, hz)),
    z: Array.from({ length: rows }, (_, row) => Array.from(levels.subarray(row * columns, (row + 1) * columns), db)),
    customdata: centres.map((hz) => Array(columns).fill(hz)),
    hovertemplate: `%{x:.3f} ${t('page.unit_s')} · %{customdata:.0f} ${t('page.unit_hz')} · %{z:.1f} ${t('page.unit_db')}<extra></extra>`,
    colorscale: Array.from({ length: STOPS }, (_, i) => {
      const colour = colours[Math.round((255 * i) / (STOPS - 1))];
      return [i / (STOPS - 1), `rgb(${colour & 255},${(colour >> 8) & 255},${(colour >> 16) & 255})`];
    }),
    cmin: display.low === null ? low : high + display.low,
    cmax: high + display.high,
    showscale: bar,
    colorbar: { thickness: 10, len: 0.62, outlinewidth: 0, ticksuffix: ` ${t('page.unit_db')}`, x: 1, xpad: 4 },
    lighting: LIGHTS[light],
    lightposition: { x: -1e4, y: -1.2e4, z: 1.6e4 },
    contours: { x: { highlight: false }, y: { highlight: false }, z: { highlight: false } },
  };
}

/** The corners of the plane at a time. */
export function planeAt({ centres_hz: centres, low_db: low, high_db: high, ...data }, time) {
  const [bottom, top] = [centres[0], centres[centres.length - 1]].map((hz) => place(data, hz));
  return { x: [time, time, time, time], y: [bottom, top, top, bottom], z: [low, low, high, high] };
}

/** The profile where the plane cuts the surface. */
export function profileAt(data, time) {
  const { levels, columns, start, end, low_db: low, high_db: high, centres_hz: centres } = data;
  const column = Math.max(0, Math.min(columns - 1, Math.floor(((time - start) / (end - start)) * columns)));
  const db = decibels(data);
  return {
    x: centres.map(() => time),
    y: centres.map((hz) => place(data, hz)),
    z: centres.map((_, row) => db(levels[row * columns + column]) + LIFT * (high - low)),
  };
}

/** Axes, proportions and camera; `revision` stays the same so that Plotly keeps what was turned by hand. */
export function sceneLayout(data, { height, camera, ink, line, family, narrow }) {
  const { centres_hz: centres, mel_scale: scale, low_db: low, high_db: high } = data;
  const kind = data.of === 'mel' ? 'mel' : 'linear';
  const marks = frequencyTicks(frequencyAxis(kind, centres[0], centres[centres.length - 1], scale), kind, narrow ? 0.2 : 0.12);
  const axis = {
    color: ink, gridcolor: line, zerolinecolor: line, linecolor: line, showbackground: false, showspikes: false,
    tickfont: { size: narrow ? 10 : 11 }, ticklen: 4,
  };
  const title = (text) => ({ text, font: { size: 12 } });
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
      xaxis: { ...axis, title: title(t('page.time_axis')), nticks: narrow ? 5 : 9, range: [data.start, data.end] },
      yaxis: {
        ...axis,
        title: title(t('page.freq_axis')),
        tickvals: marks.map((hz) => place(data, hz)),
        ticktext: marks.map((hz) => (hz >= 1000 ? `${formatNumber(hz / 1000)}k` : formatNumber(hz))),
      },
      zaxis: { ...axis, title: title(t('page.level_axis')), nticks: 5, range: [low - LIFT * (high - low), high + LIFT * (high - low)] }, // what lies on a border is cut to pieces
    },
  };
}
