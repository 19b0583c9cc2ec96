// Points of view of the 3D surface, and the way from one to another.

/** @typedef {{x: number, y: number, z: number}} Point */
/** @typedef {{eye: Point, up: Point, center: Point}} Camera as in Plotly's `scene.camera` */

const UP = { x: 0, y: 0, z: 1 };
/** @type {Record<string, Camera>} */
export const CAMERAS = {
  corner: { eye: { x: -1.06, y: -1.68, z: 1.1 }, up: UP, center: { x: -0.06, y: 0.04, z: -0.14 } },
  above: { eye: { x: 0, y: -0.01, z: 2.1 }, up: UP, center: { x: 0, y: 0, z: 0 } },
  side: { eye: { x: 0, y: -2.3, z: 0.4 }, up: UP, center: { x: 0, y: 0, z: -0.05 } },
  waterfall: { eye: { x: -2.1, y: 0.37, z: 0.8 }, up: UP, center: { x: 0, y: 0, z: -0.14 } },
};
const FLIGHT_MS = 500;
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

/** Fly from one camera to another, until the signal aborts; at once for users who prefer reduced motion.
 * @type {(from: Camera, to: Camera, lookFrom: (camera: Camera) => void, signal: AbortSignal) => void}
 */
export const fly = (from, to, lookFrom, signal) => {
  const begun = performance.now();
  const mix = (a, b, share) => ({ x: a.x + (b.x - a.x) * share, y: a.y + (b.y - a.y) * share, z: a.z + (b.z - a.z) * share });
  const step = (now) => {
    if (signal.aborted) return;
    const still = window.matchMedia('(prefers-reduced-motion: reduce)').matches;
    const gone = still ? 1 : Math.min(1, Math.max(0, (now - begun) / FLIGHT_MS));
    const share = gone * gone * (3 - 2 * gone);
    lookFrom({ eye: mix(from.eye, to.eye, share), up: to.up, center: mix(from.center, to.center, share) });
    if (gone < 1) requestAnimationFrame(step);
  };
  requestAnimationFrame(step);
};
