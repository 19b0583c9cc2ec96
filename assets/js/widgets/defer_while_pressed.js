// Work that waits for the end of a press: what is replaced between press and release gets no click.

const CLICK_MS = 100; // until a click has followed its release, a finger's included

/** Return what does `work`, at once or, where something inside `root` is being pressed, once after that. */
export function deferWhilePressed(root, work) {
  let [pressed, due] = [false, false];
  const end = () => {
    pressed = false;
    if (due) work();
    due = false;
  };
  let timer = 0;
  root.addEventListener('pointerdown', () => {
    clearTimeout(timer);
    pressed = true;
  });
  for (const name of ['pointerup', 'pointercancel']) {
    window.addEventListener(name, () => {
      clearTimeout(timer);
      if (pressed) timer = setTimeout(end, CLICK_MS);
    });
  }
  return () => {
    if (pressed) due = true;
    else work();
  };
}
