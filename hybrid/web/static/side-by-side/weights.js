// @ts-check
// The controls above the columns: the slider, the fusion method, the next swaps.

import { element, find, write } from "../shared/dom.js";
import { formatPercent } from "./format.js";
import { FUSIONS } from "./fusion.js";

/** @import { Comparison, Swap } from "./comparison.js" */
/** @import { RankedView, Update } from "./state.js" */

const slider = find("#alpha", document, HTMLInputElement);
const auto = find("#auto");
const fusions = find("#fusion", document, HTMLSelectElement);

/**
 * Let the controls change the state.
 * @param {Update} update
 */
export function listenToWeights(update) {
  fusions.append(...Object.keys(FUSIONS).map((name) => element("option", {}, name)));
  slider.addEventListener("input", () => update({ alpha: Number(slider.value) }));
  auto.addEventListener("click", () => update({ alpha: null }));
  fusions.addEventListener("change", () => update({ fusion: fusions.value }));
}

/**
 * @param {Comparison} comparison
 * @param {RankedView} ranked
 */
export function drawWeights(comparison, { view, fusion, alpha }) {
  const [keyword, semantic] = [formatPercent(1 - alpha), formatPercent(alpha)];
  slider.value = String(alpha);
  slider.setAttribute("aria-valuetext", `words ${keyword}, meaning ${semantic}`);
  write(find("#keyword-share"), keyword);
  write(find("#semantic-share"), semantic);
  auto.setAttribute("aria-pressed", String(view.alpha === null));
  write(
    find("#reason"),
    view.alpha === null
      ? comparison.autoReason
      : `set by hand; Auto would be ${formatPercent(comparison.autoAlpha)} meaning`,
  );
  fusions.value = fusion;
  write(find("#fusion-effect"), FUSIONS[fusion]);
}

/**
 * Draw the next swaps below and above the slider.
 * @param {Comparison} comparison
 * @param {RankedView} ranked
 * @param {Update} update
 */
export function drawSwaps(comparison, { alpha, rankings }, update) {
  const { below, above } = comparison.nextSwaps(rankings, alpha);
  find("#swaps").replaceChildren(
    swapButton("◂", below, comparison, update),
    swapButton("▸", above, comparison, update),
  );
}

/**
 * Return a button that moves the slider past a swap.
 * @param {string} arrow
 * @param {Swap | null} swap
 * @param {Comparison} comparison
 * @param {Update} update
 */
function swapButton(arrow, swap, { movies }, update) {
  if (!swap) return element("span", {}, `${arrow} no more changes`);
  const button = element(
    "button",
    { type: "button" },
    `${arrow} at ${formatPercent(swap.alpha)} meaning `,
    element("i", {}, movies[swap.rising].title),
    " passes ",
    element("i", {}, movies[swap.falling].title),
  );
  button.addEventListener("click", () => update({ alpha: Number(swap.after.toFixed(5)) }));
  return button;
}
