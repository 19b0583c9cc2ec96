// Playhead in 3D: a plane and the profile where it cuts the surface, on a canvas above Plotly's. A move draws two paths
// instead of the whole surface, which takes a second without a graphics card, and no ridge in front hides it.

import { prepareCanvas } from '../lib/canvas_axes.js';
import { planeAt, profileAt } from './scene.js';

export class SurfacePlayhead {
  constructor(plot) {
    this.canvas = document.createElement('canvas');
    this.canvas.className = 'sg-playhead3d';
    this.canvas.setAttribute('aria-hidden', 'true');
    plot.append(this.canvas);
    this.drawn = null; // { time, plane, profile } in CSS pixels
  }

  /** Call `draw` whenever Plotly renders the scene, which may have been turned. */
  follow(stage, draw) {
    this.stage = stage;
    const { glplot } = stage._fullLayout.scene._scene;
    if (glplot === this.glplot) return;
    this.glplot = glplot;
    const rendered = glplot.onrender;
    glplot.onrender = (...given) => {
      rendered?.apply(glplot, given);
      draw();
    };
  }

  clear() {
    this.drawn = null;
    return prepareCanvas(this.canvas, this.stage.getBoundingClientRect());
  }

  draw(data, time, colour) {
    const { width, height } = this.stage.getBoundingClientRect();
    const context = this.clear();
    if (time < data.start || time > data.end) return;
    const onScreen = this.projector(width, height);
    const [plane, profile] = [planeAt(data, time), profileAt(data, time)].map((points) => points.map(onScreen));
    this.drawn = { time, plane, profile };
    trace(context, plane);
    context.closePath();
    context.fillStyle = context.strokeStyle = colour;
    context.globalAlpha = 0.16;
    context.fill();
    context.globalAlpha = 0.7;
    context.lineWidth = 1;
    context.stroke();
    context.globalAlpha = 1;
    context.lineJoin = 'round';
    trace(context, profile);
    const strokes = /** @type {[string, number][]} */ ([['rgb(0 0 0 / 60%)', 4], ['#fff', 2]]); // visible on every colour
    for (const [style, width_] of strokes) {
      context.strokeStyle = style;
      context.lineWidth = width_;
      context.stroke();
    }
  }

  /** The projection of the scene onto the screen, by the matrices of Plotly's last rendering. */
  projector(width, height) {
    const { dataScale } = this.stage._fullLayout.scene._scene;
    const { model, view, projection } = this.glplot.cameraParams;
    const [last, middle, first] = [projection, view, model].map((matrix) => new DOMMatrix(Array.from(matrix)));
    const whole = last.multiply(middle).multiply(first).scale(...dataScale);
    return ([x, y, z]) => {
      const at = whole.transformPoint({ x, y, z });
      return [(width * (1 + at.x / at.w)) / 2, (height * (1 - at.y / at.w)) / 2];
    };
  }
}

function trace(context, points) {
  context.beginPath();
  for (const [x, y] of points) context.lineTo(x, y);
}
