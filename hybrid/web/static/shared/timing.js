// @ts-check
// Calling a function later, once, however often it is requested meanwhile.

/**
 * Return a function that calls `action` when it has not been called itself for `ms` milliseconds.
 * Its `cancel` drops a call that is due.
 * @param {() => void} action
 * @param {number} ms
 */
export function debounce(action, ms) {
  let timer = 0;
  const cancel = () => clearTimeout(timer);
  const request = () => {
    cancel();
    timer = setTimeout(action, ms);
  };
  return Object.assign(request, { cancel });
}

/**
 * Return a function that calls `action` before the next frame is painted.
 * @param {() => void} action
 */
export function oncePerFrame(action) {
  let isDue = false;
  return () => {
    if (isDue) return;
    isDue = true;
    requestAnimationFrame(() => {
      isDue = false;
      action();
    });
  };
}
