// Guards unsaved data: the browser asks before it leaves or reloads the page. Gradio reloads it after a lost connection.

const guarded = new Set();

/** Guard something, or stop guarding it. */
export function guardUnload(what, on) {
  if (on) guarded.add(what);
  else guarded.delete(what);
  // a permanent listener would keep Firefox from restoring the page from its cache
  if (guarded.size) window.addEventListener('beforeunload', preventUnload);
  else window.removeEventListener('beforeunload', preventUnload);
}

function preventUnload(event) {
  event.preventDefault();
}
