// Icons on 24 x 24.

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
  save: '<path d="M12 4v11M12 15l-4.5-4.5M12 15l4.5-4.5M4.5 16.5V20h15v-3.5"/>',
  image: '<rect x="3" y="5" width="18" height="14" rx="2"/><path d="M3 16l5-5 4 4 3-3 6 5"/><circle cx="16" cy="9" r="1.4"/>',
  page: '<path d="M6 3h8l5 5v13H6zM14 3v5h5M9 13h6M9 17h6"/>',
  keys: '<rect x="2.5" y="6" width="19" height="12" rx="2"/><path d="M6 10h.01M10 10h.01M14 10h.01M18 10h.01M8 14.4h8"/>',
};

const SHAPES = { // filled
  play: 'M7 4.5v15l12-7.5z',
  pause: 'M6 5h4v14H6zM14 5h4v14h-4z',
  stop: 'M6 6h12v12H6z',
  loop: 'M17 3l4 4-4 4V8H7v4H5V6h12zM7 21l-4-4 4-4v3h10v-4h2v6H7z',
  record: 'M5.5 12a6.5 6.5 0 1 0 13 0a6.5 6.5 0 1 0-13 0z',
  microphone: `M12 15a3.5 3.5 0 0 0 3.5-3.5v-5a3.5 3.5 0 0 0-7 0v5A3.5 3.5 0 0 0 12 15zM5 11h2a5 5 0 0 0 10 0h2
    a7 7 0 0 1-6 6.9V21h-2v-3.1A7 7 0 0 1 5 11z`,
  file: 'M12 3l5 5h-3.5v6h-3V8H7zM5 17h14v3H5z',
  selection: 'M3 4h4v2H5v12h2v2H3zM21 4h-4v2h2v12h-2v2h4zM9 7.5v9l7-4.5z',
};

/** Return the markup of an icon. */
export function icon(name) {
  if (name in SHAPES) return `<svg viewBox="0 0 24 24" aria-hidden="true"><path d="${SHAPES[name]}"/></svg>`;
  return `<svg class="sg-icon" viewBox="0 0 24 24" aria-hidden="true">${LINES[name]}</svg>`;
}
