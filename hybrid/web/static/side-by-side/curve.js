// @ts-check
// The curve above the slider: how much the ranking changes at each weight of the meaning, and which
// film leads where.

import { element, find, shape } from "../shared/dom.js";
import { formatPercent } from "./format.js";

/** @import { Comparison } from "./comparison.js" */

/** Places of the slider that are looked at, as shares. */
const STEPS = Array.from({ length: 101 }, (_, step) => step / 100);

/** Films from the top whose places count. */
const DEPTH = 10;

/** Leaders that are named; a query on which more follow each other is no clearer for them. */
const NAMED = 4;

const curve = find("#curve", document, SVGElement);
const shown = { fusion: "" };

/**
 * Draw the curve of a fusion method, unless it is drawn already.
 * @param {Comparison} comparison
 * @param {string} fusion
 */
export function drawCurve(comparison, fusion) {
  if (shown.fusion === fusion) return;
  shown.fusion = fusion;
  const tops = STEPS.map((alpha) => comparison.rankings({ fusion, alpha }).hybrid.slice(0, DEPTH));
  const changes = tops.map((top, step) => changed(tops[step - 1] ?? top, top));
  const most = Math.max(1, ...changes);
  const points = changes.map((count, step) => `${step} ${(20 - (18 * count) / most).toFixed(1)}`);
  curve.replaceChildren(
    shape("path", { class: "changes", d: `M0 20L${points.join("L")}L100 20z` }),
    ...leads(tops)
      .slice(1)
      .map(({ step }) => shape("path", { class: "lead", d: `M${step} 0V20` })),
  );
  find("#leaders").replaceChildren(...leaderText(leads(tops), comparison));
}

/**
 * Return how many places have another film.
 * @param {string[]} before
 * @param {string[]} after
 */
function changed(before, after) {
  return after.filter((film, place) => film !== before[place]).length;
}

/**
 * Return the films that lead, each with the first step from which it does.
 * @param {string[][]} tops
 */
function leads(tops) {
  return tops
    .map((top, step) => ({ film: top[0], step }))
    .filter(({ film }, step) => film && film !== tops[step - 1]?.[0]);
}

/**
 * @param {{ film: string, step: number }[]} leaders
 * @param {Comparison} comparison
 */
function leaderText(leaders, { movies }) {
  if (!leaders.length) return [];
  const named = leaders.slice(0, NAMED);
  const parts = named.flatMap(({ film, step }, number) => [
    number ? `, from ${formatPercent(step / 100)} meaning ` : "At the top: ",
    element("i", {}, movies[film].title),
  ]);
  if (leaders.length === 1) return [...parts, " at every weight."];
  return [...parts, leaders.length > NAMED ? `, then ${leaders.length - NAMED} more.` : "."];
}
