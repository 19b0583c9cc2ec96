// The play head in 3D: a plane and the profile where it cuts the surface, on a canvas above Plotly's. Drawn there, a move
// costs a line instead of the whole landscape, which without a graphics card takes a second; and a hill in front hides
// nothing of what is heard.

import { planeAt, profileAt } from './scene.js';

export class SurfaceHead {
  constructor(plot) {
    this.canvas = document.createElement('canvas');
    this.canvas.className = 'sg-head3d';
    this.canvas.setAttribute('aria-hidden', 'true');
    plot.append(this.canvas);
    this.shown = null; // what is drawn: { time, plane, profile } in CSS pixels; null: the play head is elsewhere
  }

  /** Draw again whenever the landscape is rendered, since then it may have been turned. */
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

  draw(data, time, colour) {
    const { width, height } = this.stage.getBoundingClientRect();
    const ratio = Math.min(3, window.devicePixelRatio || 1);
    const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
    if (this.canvas.width !== w || this.canvas.height !== h) [this.canvas.width, this.canvas.height] = [w, h];
    const context = this.canvas.getContext('2d');
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    this.shown = null;
    if (!data || time < data.start || time > data.end) return;
    const onScreen = this.projector(width, height);
    const [plane, profile] = [planeAt(data, time), profileAt(data, time)].map(({ x, y, z }) => x.map((_, i) => onScreen(x[i], y[i], z[i])));
    this.shown = { time, plane, profile };
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
    for (const [style, width_] of [['rgb(0 0 0 / 60%)', 4], ['#fff', 2]]) { // light on dark hills, dark around it on light ones
      context.strokeStyle = style;
      context.lineWidth = width_;
      context.stroke();
    }
  }

  /** What tells where a place of the landscape is on the screen, by the matrices with which it was drawn. */
  projector(width, height) {
    const { dataScale } = this.stage._fullLayout.scene._scene;
    const { model, view, projection } = this.glplot.cameraParams;
    return (x, y, z) => {
      const at = [model, view, projection].reduce(times, [x * dataScale[0], y * dataScale[1], z * dataScale[2], 1]);
      return [(width * (1 + at[0] / at[3])) / 2, (height * (1 - at[1] / at[3])) / 2];
    };
  }
}

/** A column vector times a matrix whose columns follow each other, as WebGL has them. */
function times(vector, matrix) {
  return [0, 1, 2, 3].map((row) => vector.reduce((sum, value, column) => sum + matrix[4 * column + row] * value, 0));
}

function trace(context, points) {
  context.beginPath();
  for (const [x, y] of points) context.lineTo(x, y);
}
