// Defers DOM updates while a pointer is down, so that a click on a re-rendered element is not lost.

const CLICK_MS = 100; // until a click has followed its release, a finger's included

/** Return a function that runs `work` at once or, while something inside `root` is pressed, after that.
 * @param {HTMLElement} root
 * @param {() => void} work
 * @param {AbortSignal} [signal]
 */
export function deferWhilePressed(root, work, signal) {
  let [pressed, due] = [false, false];
  let timer = 0;
  const end = () => {
    pressed = false;
    if (due) work();
    due = false;
  };
  root.addEventListener('pointerdown', () => {
    clearTimeout(timer);
    pressed = true;
  });
  for (const name of ['pointerup', 'pointercancel']) {
    window.addEventListener(name, () => {
      clearTimeout(timer);
      if (pressed) timer = setTimeout(end, CLICK_MS);
    }, { signal });
  }
  return () => {
    if (pressed) due = true;
    else work();
  };
}
