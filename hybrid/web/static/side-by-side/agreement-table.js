// @ts-check
// The table of how far each two of the rankings agree.

import { element, find } from "../shared/dom.js";
import { drawCommon } from "./columns.js";
import { formatHundredths } from "./format.js";

/** @import { Comparison, Rankings } from "./comparison.js" */

/** @typedef {ReturnType<Comparison["agreement"]>[number]} Pair */

/**
 * @param {Comparison} comparison
 * @param {Rankings} rankings
 */
export function drawAgreement(comparison, rankings) {
  const pairs = comparison.agreement(rankings);
  find("#limit").textContent = String(comparison.limit);
  find("#pairs").replaceChildren(...pairs.map(tableRow));
  drawCommon(pairs.map((pair) => pair.common)); // the first two pairs are neighbours
}

/** @param {Pair} pair */
function tableRow({ a, b, films, common, jaccard, rbo, tau }) {
  const measures = [
    String(common),
    films ? formatHundredths(jaccard) : "–", // two empty lists agree on nothing
    films ? formatHundredths(rbo) : "–",
    tau === null ? "–" : formatHundredths(tau),
  ];
  return element(
    "tr",
    {},
    element("th", { scope: "row" }, `${a} – ${b}`),
    ...measures.map((text) => element("td", {}, text)),
  );
}
