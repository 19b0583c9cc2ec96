// A 3D picture to keep: as PNG, or as a page of its own that needs no network and no server.

import { t } from '../lib/i18n.js';

/** Save what a Plotly stage shows as a picture, twice as fine as the screen's. */
export function savePicture(stage, name) {
  return window.Plotly.downloadImage(stage, { format: 'png', scale: 2, filename: name, width: stage.clientWidth, height: stage.clientHeight });
}

/** Save traces and layout as a page with Plotly in it. */
export async function savePage(plotlyUrl, { traces, layout, title, ink, ground }) {
  const answer = await fetch(plotlyUrl);
  if (!answer.ok) throw new Error(t('page.offline'));
  const page = pageOf(await answer.text(), { traces, layout, title, ink, ground });
  const link = document.createElement('a'); // one from a template belongs to no page and leads nowhere
  link.href = URL.createObjectURL(new Blob([page], { type: 'text/html' }));
  link.download = `${title.replace(/\.[^.]*$/, '').replace(/[\\/:*?"<>|]/g, '_')}-3d.html`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

function pageOf(plotly, { traces, layout, title, ink, ground }) {
  const shortened = (key, value) => (typeof value === 'number' ? Number(value.toPrecision(7)) : value);
  const data = (value) => JSON.stringify(value, shortened).replaceAll('<', '\\u003c'); // nothing in it ends the script
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
<script>${plotly.replaceAll('</script', '<\\/script')}</script>
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
