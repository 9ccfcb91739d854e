// @ts-check
// The bar of a film: what words and meaning give it, side by side.

import { shape } from "./dom.js";

/** @typedef {ReturnType<typeof createBar>} Bar */

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

/** Return an empty bar and its two sides. */
export function createBar() {
  const keyword = shape("rect", { class: "keyword", height: 8 });
  const semantic = shape("rect", { class: "semantic", height: 8 });
  const track = shape("rect", { class: "track", width: 100, height: 8 });
  return { svg: barOf(track, keyword, semantic), keyword, semantic };
}

/**
 * Show what each side gives, as shares of the whole: words first, meaning as far as there is room.
 * @param {Bar} bar
 * @param {number | null} words
 * @param {number | null} meaning
 */
export function fillBar({ keyword, semantic }, words, meaning) {
  const middle = widthOf(words);
  keyword.setAttribute("width", String(middle));
  semantic.setAttribute("x", String(middle));
  semantic.setAttribute("width", String(Math.min(widthOf(meaning), 100 - middle)));
}

/** @param {number | null} share */
function widthOf(share) {
  return 100 * Math.min(Math.max(share ?? 0, 0), 1);
}
