// Points of view of the 3D surface, and the way from one to another.

/** @typedef {{x: number, y: number, z: number}} Point */
/** @typedef {{eye: Point, up: Point, center: Point}} Camera as in Plotly's `scene.camera` */

const UP = { x: 0, y: 0, z: 1 };
/** @type {Record<string, Camera>} */
export const CAMERAS = {
  corner: { eye: { x: -0.9, y: -1.95, z: 1.16 }, up: UP, center: { x: -0.02, y: 0, z: -0.16 } },
  above: { eye: { x: 0, y: -0.01, z: 2.1 }, up: UP, center: { x: 0, y: 0, z: 0 } },
  side: { eye: { x: 0, y: -2.3, z: 0.4 }, up: UP, center: { x: 0, y: 0, z: -0.05 } },
  waterfall: { eye: { x: -2.4, y: 0.42, z: 1 }, up: UP, center: { x: 0, y: 0, z: -0.24 } },
};
const FLIGHT_MS = 500;
const OPENING_MS = 2600;
const SLOW_MS = 300; // a browser without a graphics card takes longer for a frame: a flight would stutter
const NEAR = 1.5; // distance of the eye
const SAME = 0.01; // coordinates of one point of view
const MOST = 20; // coordinate of a link's camera

/** A camera as text for an address: nine numbers. @type {(camera: Camera) => string} */
export const cameraText = ({ eye, center, up }) => (
  [eye, center, up].flatMap(({ x, y, z }) => [x, y, z]).map((value) => Number(value.toFixed(3))).join(','));

/** The camera of a text, or null for an illegal one. @type {(text: string) => Camera | null} */
export const cameraOf = (text) => {
  const numbers = text.split(',').map((part) => Number(part || NaN));
  if (numbers.length !== 9 || !numbers.every((value) => Math.abs(value) <= MOST)) return null;
  const [eye, center, up] = [0, 3, 6].map((i) => ({ x: numbers[i], y: numbers[i + 1], z: numbers[i + 2] }));
  const apart = Math.hypot(eye.x - center.x, eye.y - center.y, eye.z - center.z);
  return apart > 0.01 && Math.hypot(up.x, up.y, up.z) > 0.01 ? { eye, up, center } : null;
};

/** Turn a camera around the vertical and upwards (radians) and change its distance by a factor.
 * @type {(camera: Camera, around: number, up: number, factor: number) => Camera}
 */
export const turned = (camera, around, up, factor) => {
  const { x, y, z } = camera.eye;
  const distance = Math.hypot(x, y, z);
  const angle = Math.atan2(y, x) + around;
  const height = Math.min(1.5, Math.max(-0.2, Math.asin(z / distance) + up));
  const [across, upwards] = [distance * factor * Math.cos(height), distance * factor * Math.sin(height)];
  return { ...camera, eye: { x: across * Math.cos(angle), y: across * Math.sin(angle), z: upwards } };
};

/** The matrix (by columns) that takes a scene to a camera, as OpenGL's lookAt. @type {(camera: Camera) => number[]} */
export const lookAt = ({ eye, center, up }) => {
  const [from, to, above] = [eye, center, up].map(({ x, y, z }) => [x, y, z]);
  const dot = (a, b) => a.reduce((sum, value, i) => sum + value * b[i], 0);
  const unit = (a) => a.map((value) => value / Math.sqrt(dot(a, a)));
  const cross = (a, b) => [0, 1, 2].map((i) => a[(i + 1) % 3] * b[(i + 2) % 3] - a[(i + 2) % 3] * b[(i + 1) % 3]);
  const back = unit(from.map((value, i) => value - to[i]));
  const right = unit(cross(above, back));
  const axes = [right, cross(back, right), back];
  return [...[0, 1, 2].flatMap((i) => [...axes.map((axis) => axis[i]), 0]), ...axes.map((axis) => -dot(axis, from)), 1];
};

/** Whether two cameras are one point of view. @type {(one: Camera, other: Camera) => boolean} */
export const same = (one, other) => ['eye', 'center'].every((point) => (
  ['x', 'y', 'z'].every((axis) => Math.abs(one[point][axis] - other[point][axis]) < SAME)));

/** Whether a camera has come closer than those of the buttons. @type {(camera: Camera, narrow: boolean) => boolean} */
export const isNear = ({ eye: { x, y, z } }, narrow) => Math.hypot(x, y, z) < (narrow ? NEAR * 1.5 : NEAR);

/** The straight way from one camera to another. @type {(from: Camera, to: Camera) => (share: number) => Camera} */
export const wayTo = (from, to) => {
  const mix = (a, b, share) => ({ x: a.x + (b.x - a.x) * share, y: a.y + (b.y - a.y) * share, z: a.z + (b.z - a.z) * share });
  return (share) => ({ eye: mix(from.eye, to.eye, share), up: to.up, center: mix(from.center, to.center, share) });
};

/** The way of the first drawing: from far above, around and down to a camera. @type {(to: Camera) => (share: number) => Camera} */
const openingTo = (to) => (share) => turned(to, -0.9 * (1 - share), 0.5 * (1 - share), 1 + 0.4 * (1 - share));

/** Fly along a way, until the signal aborts; at once to its end for users who prefer reduced motion, and where frames are slow.
 * Resolves when the flight has ended.
 * @param {(share: number) => Camera} way
 * @param {(camera: Camera) => void} lookFrom
 * @param {AbortSignal} signal
 * @param {number} [ms] how long it takes
 */
export const fly = (way, lookFrom, signal, ms = FLIGHT_MS) => new Promise((ended) => {
  signal.addEventListener('abort', ended);
  const begun = performance.now();
  let before = Infinity;
  const step = (now) => {
    if (signal.aborted) return;
    const still = window.matchMedia('(prefers-reduced-motion: reduce)').matches || now - before > SLOW_MS;
    const gone = still ? 1 : Math.min(1, Math.max(0, (now - begun) / ms));
    before = now;
    lookFrom(way(gone * gone * (3 - 2 * gone)));
    if (gone < 1) requestAnimationFrame(step);
    else ended();
  };
  requestAnimationFrame(step);
});

/** Fly to a surface's camera for the first time, until the first press, key or wheel.
 * @param {any} surface
 */
export function openWith(surface) {
  if (window.matchMedia('(prefers-reduced-motion: reduce)').matches) return;
  const signal = surface.newFlight();
  const { flight } = surface;
  for (const name of ['pointerdown', 'keydown', 'wheel']) {
    document.addEventListener(name, () => flight.abort(), { signal, capture: true, passive: true });
  }
  surface.playhead.canvas.hidden = true; // without a graphics card the surface would lag behind it
  fly(openingTo(surface.camera), (next) => surface.lookFrom(next), signal, OPENING_MS)
    .then(() => { surface.playhead.canvas.hidden = false; });
}
