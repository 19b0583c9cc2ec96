// Saving the 3D view as PNG, or as a standalone page.

import { fetchFile, saveFile, stem } from '../lib/dom.js';
import { t } from '../lib/i18n.js';
import { plotly } from './plotly.js';

/** Save a Plotly stage as PNG, at twice the screen's resolution. */
export function savePng(stage, title) {
  const { clientWidth: width, clientHeight: height } = stage;
  return plotly().downloadImage(stage, { format: 'png', scale: 2, filename: `${stem(title)}-3d`, width, height });
}

/** Save traces and layout as a page that contains Plotly. */
export async function savePage(plotlyUrl, scene) {
  const script = await (await fetchFile(plotlyUrl)).text();
  saveFile([pageOf(script, scene)], `${stem(scene.title)}-3d.html`, 'text/html');
}

function pageOf(script, { traces, layout, title, ink }) {
  const ground = getComputedStyle(document.body).backgroundColor;
  const shortened = (key, value) => (typeof value === 'number' ? Number(value.toPrecision(7)) : value);
  const data = (value) => JSON.stringify(value, shortened).replaceAll('<', '\\u003c'); // so that no text ends the script
  const text = (value) => value.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);
  return `<!doctype html>
<html lang="${document.documentElement.lang}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${text(title)}</title>
<style>
html, body { margin: 0; height: 100%; background: ${ground}; color: ${ink}; font: 14px system-ui, sans-serif; }
body { display: grid; grid-template-rows: auto 1fr auto; }
h1 { font-size: 1.1rem; margin: .8rem 1rem 0; overflow-wrap: anywhere; }
p { margin: 0 1rem .8rem; opacity: .75; }
#surface { min-height: 0; }
</style>
<script>${script.replaceAll('</script', '<\\/script')}</script>
</head>
<body>
<h1>${text(title)}</h1>
<div id="surface"></div>
<p>${text(t('surface.saved_page'))}</p>
<script>
Plotly.newPlot('surface', ${data(traces)}, ${data(layout)}, { responsive: true, displaylogo: false, displayModeBar: false });
</script>
</body>
</html>
`;
}
