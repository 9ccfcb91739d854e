// @ts-check
// Bars: what words and meaning give a film, side by side, and measures of a single word.

import { element, shape } from "./dom.js";

/**
 * Return a bar of these parts, on a width of 100.
 * @param {...SVGElement} parts
 */
export function barOf(...parts) {
  return shape(
    "svg",
    { class: "bar", viewBox: "0 0 100 8", preserveAspectRatio: "none", "aria-hidden": "true" },
    ...parts,
  );
}

/** Return an empty bar of two sides. It is a background, which is painted anew without a layout. */
export function createBar() {
  return element("span", { class: "bar sides", "aria-hidden": "true" });
}

/**
 * Show what each side gives, as shares of the whole: words first, meaning as far as there is room.
 * @param {HTMLElement} bar
 * @param {number | null} words
 * @param {number | null} meaning
 */
export function fillBar(bar, words, meaning) {
  const middle = widthOf(words);
  setWidth(bar, "--words", middle);
  setWidth(bar, "--both", Math.min(middle + widthOf(meaning), 100));
}

/**
 * @param {HTMLElement} bar
 * @param {string} name
 * @param {number} width
 */
function setWidth(bar, name, width) {
  const text = `${width.toFixed(2)}%`;
  if (bar.style.getPropertyValue(name) !== text) bar.style.setProperty(name, text);
}

/** @param {number | null} share */
function widthOf(share) {
  return 100 * Math.min(Math.max(share ?? 0, 0), 1);
}
