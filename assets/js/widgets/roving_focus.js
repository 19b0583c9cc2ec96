// Toolbars as one Tab stop, in which the arrow keys move (ARIA Authoring Practices, toolbar pattern).

/** By how many items a key moves the focus. */
export const MOVES = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity };

/** Make a toolbar of an element's buttons; those of panels that open under one are left alone.
 * @param {HTMLElement} root
 * @param {AbortSignal} signal
 */
export function rovingFocus(root, signal) {
  root.setAttribute('role', 'toolbar');
  /** @type {HTMLButtonElement | undefined} */
  let current;
  const own = (button) => [root, null].includes(button.closest('.sg-panel'));
  const buttons = () => /** @type {HTMLButtonElement[]} */ ([...root.querySelectorAll('.sg-tool')]).filter(own);
  const hiding = (button) => button.closest('[hidden]');
  const usable = () => buttons().filter((button) => !button.disabled && (!hiding(button) || hiding(button) === root));
  const update = () => {
    const able = usable();
    if (!current || !able.includes(current)) [current] = able;
    for (const button of buttons()) button.tabIndex = button === current ? 0 : -1;
  };
  root.addEventListener('focusin', ({ target }) => {
    const button = usable().find((one) => one === target);
    if (!button) return;
    current = button;
    update();
  });
  root.addEventListener('keydown', (event) => {
    const move = MOVES[event.key];
    const able = usable().filter((button) => button.offsetParent).sort(byPlace);
    const at = able.findIndex((button) => button === event.target);
    if (!move || at < 0 || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    able[Math.min(able.length - 1, Math.max(0, at + move))].focus();
  });
  const observer = new MutationObserver(update);
  observer.observe(root, { subtree: true, childList: true, attributes: true, attributeFilter: ['hidden', 'disabled'] });
  signal.addEventListener('abort', () => observer.disconnect());
  update();
}

/** As on screen: the styles order buttons otherwise than the document. */
function byPlace(one, other) {
  const [a, b] = [one.getBoundingClientRect(), other.getBoundingClientRect()];
  return Math.abs(a.top - b.top) > a.height / 2 ? a.top - b.top : a.left - b.left;
}
