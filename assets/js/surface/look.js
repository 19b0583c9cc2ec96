// Camera and look of the 3D view, as fields of the address and for exports.

import { display, displayedRange } from '../core/display_settings.js';
import { keepInLink } from '../core/link_fields.js';
import { cameraOf, cameraText } from './camera.js';
import { LIGHTS } from './scene.js';

/** Keep a surface's camera, source, light and height in the address.
 * @param {any} surface
 */
export function keepLook(surface) {
  const first = surface.camera;
  keepInLink('camera', () => (surface.camera === first ? null : cameraText(surface.camera)), (value) => {
    const camera = value === null ? first : cameraOf(value);
    surface.flight.abort();
    surface.camera = camera ?? first;
    if (surface.drawn) surface.lookFrom(surface.camera);
    return Boolean(camera);
  }, surface.signal);
  const normal = { ...surface.look };
  const keep = (field, name, parse) => {
    const read = () => (surface.look[name] === normal[name] ? null : String(surface.look[name]));
    keepInLink(field, read, (value) => {
      const parsed = value === null ? normal[name] : parse(value);
      surface.look[name] = parsed ?? normal[name];
      surface.showLook();
      return parsed !== undefined;
    }, surface.signal);
  };
  keep('of', 'of', (value) => ['mel', 'stft'].find((of) => of === value));
  keep('light', 'light', (value) => Object.keys(LIGHTS).find((light) => light === value));
  keep('relief', 'height', (value) => [Number(value || NaN)].find((height) => height >= 0.1 && height <= 1.2));
}

/** What of a surface's display an export has.
 * @param {any} surface
 */
export function exportedLook({ camera: { eye: { x, y, z } }, data, look: { of } }) {
  const degrees = (angle) => (180 * angle) / Math.PI;
  const [low, high] = data ? displayedRange(data) : [null, null];
  const angles = { elevation: degrees(Math.atan2(z, Math.hypot(x, y))), azimuth: degrees(Math.atan2(y, x)) };
  return { of, figure: { colours: display.colours, low, high, ...angles } };
}
