// Icons of the viewer's buttons, drawn as lines on 24 x 24.
const LINES = {
  move: '<path d="M12 3v18M3 12h18M12 3l-3 3m3-3l3 3M12 21l-3-3m3 3l3-3M3 12l3-3m-3 3l3 3M21 12l-3-3m3 3l-3 3"/>',
  select: '<rect x="4" y="6" width="16" height="12" stroke-dasharray="3 2.4"/>',
  box: '<circle cx="10.5" cy="10.5" r="6.5"/><path d="M15.5 15.5L21 21"/><path d="M7.8 10.5h5.4M10.5 7.8v5.4"/>',
  back: '<path d="M9 5l-5 5 5 5M4 10h10a6 6 0 0 1 0 12"/>',
  forward: '<path d="M15 5l5 5-5 5M20 10H10a6 6 0 0 0 0 12"/>',
  in: '<path d="M12 5v14M5 12h14"/>',
  out: '<path d="M5 12h14"/>',
  all: '<path d="M3 5v14M21 5v14M7 12h10M7 12l3-3m-3 3l3 3M17 12l-3-3m3 3l-3 3"/>',
  display: '<path d="M4 7h9M19 7h1M4 17h1M11 17h9"/><circle cx="16" cy="7" r="2.6"/><circle cx="8" cy="17" r="2.6"/>',
  layers: '<path d="M12 4l9 5-9 5-9-5zM4.5 12.5L12 17l7.5-4.5M4.5 16L12 20.5 19.5 16"/>',
  full: '<path d="M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5"/>',
  more: '<path d="M5 12h.01M12 12h.01M19 12h.01" stroke-width="3.2"/>',
  link: '<path d="M10 14a4 4 0 0 0 6 .4l3-3a4 4 0 0 0-5.7-5.7L12 7M14 10a4 4 0 0 0-6-.4l-3 3a4 4 0 0 0 5.7 5.7L12 17"/>',
  harmonics: '<path d="M3 20h18M3 15h18M3 10.6h18M3 7h18M3 4h18"/>',
  slice: '<path d="M4 3v18M4 6h3l4 3-5 3 12 3-10 3-4 1"/>',
  image: '<rect x="3" y="5" width="18" height="14" rx="2"/><path d="M3 16l5-5 4 4 3-3 6 5"/><circle cx="16" cy="9" r="1.4"/>',
  page: '<path d="M6 3h8l5 5v13H6zM14 3v5h5M9 13h6M9 17h6"/>',
  keys: '<rect x="2.5" y="6" width="19" height="12" rx="2"/><path d="M6 10h.01M10 10h.01M14 10h.01M18 10h.01M8 14.4h8"/>',
};

export function icon(name) {
  return `<svg class="sg-icon" viewBox="0 0 24 24" aria-hidden="true">${LINES[name]}</svg>`;
}
