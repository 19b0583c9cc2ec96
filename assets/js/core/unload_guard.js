// What would be lost if the page went: the browser asks before it leaves or loads anew, which Gradio's client does by itself
// once a broken network is back.

const held = new Set();

/** Hold the page for something, or let it go for all that this one matters. */
export function guardUnload(what, on) {
  if (on) held.add(what);
  else held.delete(what);
  // a listener that is always there would keep Firefox from going back to the page at once
  if (held.size) window.addEventListener('beforeunload', preventUnload);
  else window.removeEventListener('beforeunload', preventUnload);
}

function preventUnload(event) {
  event.preventDefault();
}
