// DOM elements, file addresses and decoded bytes.

/** An element from HTML text of ours; user data goes in by textContent only. */
export function element(html) {
  const template = document.createElement('template');
  template.innerHTML = html.trim();
  return template.content.firstElementChild;
}

/** The address of a file that the server has put where it serves it from. */
export function fileUrl(path) {
  return new URL(`gradio_api/file=${path.split('/').map(encodeURIComponent).join('/')}`, document.baseURI).href;
}

export function decodeBase64(base64) {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = text.charCodeAt(i); // Uint8Array.from is ten times slower
  return bytes;
}
