// @ts-check
// The table of how far each two of the rankings agree.

import { element, find } from "../shared/dom.js";
import { drawCommon } from "./columns.js";
import { formatHundredths } from "./format.js";

/** @import { Comparison } from "./comparison.js" */
/** @import { RankedRun } from "./runs.js" */

/** @typedef {ReturnType<Comparison["agreement"]>[number]} Pair */

/**
 * @param {Comparison} comparison
 * @param {RankedRun[]} runs
 */
export function drawAgreement(comparison, runs) {
  const pairs = comparison.agreement(runs);
  find("#limit").textContent = String(comparison.limit);
  find("#pairs").replaceChildren(...pairs.map(tableRow));
  drawCommon(pairs.map((pair) => pair.common)); // neighbours come first
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
