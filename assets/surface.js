// The mel spectrogram as a surface to turn: Plotly's, drawn by the plotly.min.js that the Python package carries.

import { announce, ask, bytesOf, element, events, learned, newest, number, say, state, word } from './session.js';
import { frequencyAxis, frequencyTicks, hzToMel } from './axes.js';
import { NAMES, table } from './colormaps.js';
import { parameterPanel } from './parameters.js';
import { waveIcon } from './stills.js';

const COLUMNS = 320; // more can't be told apart on a turning surface
const CAMERAS = {
  corner: { eye: { x: -0.95, y: -1.5, z: 1.1 }, up: { x: 0, y: 0, z: 1 } },
  above: { eye: { x: 0, y: -0.01, z: 2.1 }, up: { x: 0, y: 1, z: 0 } },
  side: { eye: { x: 0, y: -2.1, z: 0.35 }, up: { x: 0, y: 0, z: 1 } },
  waterfall: { eye: { x: -2.0, y: 0.35, z: 0.75 }, up: { x: 0, y: 0, z: 1 } },
};
const LIGHTS = {
  soft: { ambient: 0.75, diffuse: 0.5, specular: 0.08, roughness: 0.9, fresnel: 0.1 },
  glossy: { ambient: 0.5, diffuse: 0.75, specular: 0.7, roughness: 0.35, fresnel: 0.4 },
  flat: { ambient: 1, diffuse: 0, specular: 0, roughness: 1, fresnel: 0 },
};

const CONFIG = { // no button that would send anything elsewhere
  responsive: true,
  displaylogo: false,
  modeBarButtons: [['toImage'], ['zoom3d', 'pan3d', 'orbitRotation', 'tableRotation'], ['resetCameraDefault3d']],
};

let plotly = null;
function loadPlotly(url) {
  plotly ??= new Promise((resolve, reject) => {
    const script = document.createElement('script');
    script.src = url;
    script.onload = () => resolve(window.Plotly);
    script.onerror = () => { plotly = null; reject(new Error(url)); };
    document.head.append(script);
  });
  return plotly;
}

export async function mount(root, { server, props, files }) {
  await learned;
  const host = root.querySelector('.sg-viewer');
  host.viewer = new Surface(host, server, props, files + props.plotly);
}

class Surface {
  constructor(host, server, props, plotlyUrl) {
    host.dataset.view = 'surface';
    host.innerHTML = `
      <div class="sg-stage">
        <div class="sg-toolbar">
          <label><span></span><select class="sg-colours"></select></label>
          <label><span></span><select class="sg-light"></select></label>
          <label><span></span><input type="range" class="sg-height" min="0.1" max="1.2" step="0.05" value="0.45"></label>
          <div class="sg-cameras" role="group"></div>
        </div>
        <div class="sg-plot"><div class="sg-surface"></div><div class="sg-empty"><p class="sg-strong"></p><p class="sg-small"></p></div></div>
        <output class="sg-readout"></output>
        <section class="sg-together"></section>
      </div>
      <aside class="sg-side"></aside>`;
    this.host = host;
    this.server = server;
    this.plotlyUrl = plotlyUrl;
    this.plot = host.querySelector('.sg-plot');
    this.stage = host.querySelector('.sg-surface');
    this.display = { colours: 'magma', light: 'soft', height: 0.45 };
    this.camera = this.fitted(CAMERAS.corner);
    this.drawings = 0;
    this.request = newest(() => this.load());
    this.words();
    this.panel = parameterPanel(
      host.querySelector('.sg-side'), host.querySelector('.sg-together'), props.parameters, 'surface', () => this.refresh(),
    );
    this.wire();
    this.refresh();
  }

  /** A camera from further off where the picture is narrow, so that all of the surface is in it. */
  fitted({ eye, up }) {
    const away = this.plot.clientWidth && this.plot.clientWidth < 600 ? 2 : 1;
    return { eye: { x: eye.x * away, y: eye.y * away, z: eye.z * away }, up };
  }

  words() {
    const find = (selector) => this.host.querySelector(selector);
    const labels = this.host.querySelectorAll('.sg-toolbar label span');
    ['colours', 'light', 'height'].forEach((key, i) => { labels[i].textContent = word(key); });
    for (const name of NAMES) find('.sg-colours').append(new Option(name, name));
    for (const name of Object.keys(LIGHTS)) find('.sg-light').append(new Option(word(`light_${name}`), name));
    for (const name of Object.keys(CAMERAS)) {
      const button = element('<button type="button" class="sg-chip"></button>');
      button.dataset.camera = name;
      button.textContent = word(`camera_${name}`);
      find('.sg-cameras').append(button);
    }
    find('.sg-empty').prepend(waveIcon());
    find('.sg-empty .sg-strong').textContent = word('empty_surface');
    find('.sg-empty .sg-small').textContent = word('empty_hint');
    find('.sg-readout').textContent = word('surface_hint');
  }

  wire() {
    const find = (selector) => this.host.querySelector(selector);
    find('.sg-colours').addEventListener('change', (event) => { this.display.colours = event.target.value; this.draw(); });
    find('.sg-light').addEventListener('change', (event) => { this.display.light = event.target.value; this.draw(); });
    find('.sg-height').addEventListener('input', (event) => { this.display.height = Number(event.target.value); this.draw(); });
    find('.sg-cameras').addEventListener('click', (event) => {
      const camera = CAMERAS[event.target.dataset.camera];
      if (camera && this.data) {
        this.camera = this.fitted(camera);
        this.draw();
      }
    });
    events.addEventListener('sound', () => this.refresh());
    events.addEventListener('shown', () => this.refresh());
    new ResizeObserver(() => this.refresh()).observe(this.plot);
    new MutationObserver(() => this.draw()).observe(document.body, { attributes: true, attributeFilter: ['class'] });
  }

  /** Ask for the stretch that the other views show, if this one is on screen. */
  refresh() {
    if (state.sound && this.plot.offsetParent !== null) this.request();
  }

  async load() {
    const { id, seconds } = state.sound;
    const { start, end } = state.shown;
    const request = { sound: id, config: this.panel.values(), start, end: Math.min(seconds, end), columns: COLUMNS };
    const key = JSON.stringify(request);
    if (key === this.loaded) {
      this.panel.accepted(this.data);
      return;
    }
    const late = setTimeout(() => this.host.toggleAttribute('data-busy', true), 250);
    try {
      const [answer] = await Promise.all([ask(this.server.surface_picture, request), loadPlotly(this.plotlyUrl)]);
      if (state.sound.id !== id) return;
      this.loaded = key;
      this.data = { ...answer, levels: bytesOf(answer.levels), request };
      this.panel.accepted(answer);
      await this.draw();
    } catch (refusal) {
      if (state.sound.id !== id) return;
      if (refusal.key?.startsWith('parameter.')) this.panel.refused(refusal);
      else say(refusal.message);
    } finally {
      clearTimeout(late);
      this.host.removeAttribute('data-busy');
    }
  }

  async draw() {
    if (!this.data) return;
    this.host.toggleAttribute('data-filled', true);
    await window.Plotly.react(this.stage, [this.trace()], this.layout(), CONFIG);
    if (!this.drawings) {
      // Plotly keeps by itself only what was turned by hand, so every turn is remembered here
      this.stage.on('plotly_relayout', (change) => { this.camera = change['scene.camera'] ?? this.camera; });
    }
    this.drawings += 1;
    announce('surface');
  }

  trace() {
    const { levels, rows, columns, start, end, low_db: low, high_db: high, centres_hz: centres, mel_scale: scale } = this.data;
    const colours = table(this.display.colours);
    const db = (level) => low + (level / 255) * (high - low);
    const z = Array.from({ length: rows }, (_, row) => Array.from(levels.subarray(row * columns, (row + 1) * columns), db));
    return {
      type: 'surface',
      x: Array.from({ length: columns }, (_, c) => start + ((c + 0.5) / columns) * (end - start)),
      y: centres.map((hz) => hzToMel(hz, scale)),
      z,
      customdata: centres.map((hz) => Array(columns).fill(hz)),
      hovertemplate: `%{x:.3f} ${word('unit_s')} · %{customdata:.0f} ${word('unit_hz')} · %{z:.1f} ${word('unit_db')}<extra></extra>`,
      colorscale: Array.from({ length: 17 }, (_, i) => {
        const colour = colours[Math.round((255 * i) / 16)];
        return [i / 16, `rgb(${colour & 255},${(colour >> 8) & 255},${(colour >> 16) & 255})`];
      }),
      cmin: low,
      cmax: high,
      colorbar: { thickness: 10, len: 0.7, outlinewidth: 0, ticksuffix: ` ${word('unit_db')}` },
      lighting: LIGHTS[this.display.light],
      lightposition: { x: -1e4, y: -1e4, z: 2e4 },
      contours: { x: { highlight: false }, y: { highlight: false }, z: { highlight: false } },
    };
  }

  layout() {
    const style = getComputedStyle(this.host);
    const [ink, line] = [style.color, style.getPropertyValue('--sg-line').trim()];
    const { centres_hz: centres, mel_scale: scale } = this.data;
    const marks = frequencyTicks(frequencyAxis('mel', centres[0], centres[centres.length - 1], scale), 'mel', 0.12);
    const axis = { color: ink, gridcolor: line, zerolinecolor: line, showbackground: false, showspikes: false };
    return {
      margin: { l: 0, r: 0, t: 0, b: 0 },
      paper_bgcolor: 'rgba(0,0,0,0)',
      font: { color: ink, family: style.fontFamily, size: 11 },
      scene: {
        camera: this.camera,
        aspectmode: 'manual',
        aspectratio: { x: 1.7, y: 1.05, z: this.display.height },
        xaxis: { ...axis, title: { text: word('time_axis') } },
        yaxis: {
          ...axis,
          title: { text: word('freq_axis') },
          tickvals: marks.map((hz) => hzToMel(hz, scale)),
          ticktext: marks.map((hz) => (hz >= 1000 ? `${number(hz / 1000)}k` : number(hz))),
        },
        zaxis: { ...axis, title: { text: word('level_axis') }, nticks: 5 },
      },
    };
  }
}
