// Look of the 3D view: its controls, the fields of the address, and what exports have of it.

import { display, displayedRange } from '../core/display_settings.js';
import { keepInLink } from '../core/link_fields.js';
import { element, find, translated } from '../lib/dom.js';
import { t } from '../lib/i18n.js';
import { wireColours } from '../viewer/display_panel.js';
import { menu } from '../widgets/menu.js';
import { CAMERAS, cameraOf, cameraText, same } from './camera.js';
import { LIGHTS } from './scene.js';

const DISPLAY = `
  <label><span data-t="viewer_toolbar.colours"></span><select class="sg-colours"></select></label>
  <label><span data-t="surface.light"></span><select class="sg-light"></select></label>
  <label><span data-t="surface.height"></span>
    <input type="range" class="sg-height" min="0.1" max="1.2" step="0.05" value="0.5"></label>`;

/** Keep a surface's camera, source, light and height in the address.
 * @param {any} surface
 */
export function keepLook(surface) {
  const first = () => surface.fitted(CAMERAS.corner);
  keepInLink('camera', () => (same(surface.camera, first()) ? null : cameraText(surface.camera)), (value) => {
    const camera = value === null ? first() : cameraOf(value);
    surface.flight.abort();
    surface.camera = camera ?? first();
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

/** The menu of colours, light and height.
 * @param {any} surface
 */
export function displayMenu(surface) {
  const { root, panel } = menu('display', 'viewer_toolbar.display', { text: true, signal: surface.signal });
  root.classList.add('sg-right');
  panel.innerHTML = DISPLAY;
  translated(panel);
  const [light, height] = [find(panel, '.sg-light'), find(panel, '.sg-height')];
  wireColours(find(panel, '.sg-colours'), surface);
  light.append(...Object.keys(LIGHTS).map((name) => new Option(t(`surface.light_${name}`), name)));
  for (const control of [light, height]) {
    control.addEventListener('input', () => {
      Object.assign(surface.look, { light: light.value, height: Number(height.value) });
      surface.draw();
    });
  }
  return root;
}

/** A button of a group, named by a message; `choice` is what it stands for. */
export function textButton(name, choice, press) {
  const button = element(`<button type="button" class="sg-tool sg-choice" data-choice="${choice}" data-t="${name}"></button>`);
  button.addEventListener('click', press);
  return button;
}
