// @ts-check
// The rankings that are columns: those of a link, or words, both and meaning. Each is written as
// GET /compare takes it, NAME:MODE,FUSION,ALPHA. The ranking "hybrid" alone follows the slider.

/** @import { Comparison, Rankings } from "./comparison.js" */
/** @import { RankedView } from "./state.js" */
/** @import { Run } from "../shared/runs.js" */

import { DEFAULT_RUNS, parseRun } from "../shared/runs.js";

/**
 * A column: its run, and the rankings and weights that it is of.
 * @typedef {object} RankedRun
 * @property {Run} run
 * @property {Rankings} rankings
 * @property {string} fusion
 * @property {number} alpha
 */

/**
 * Return the runs of a view, from the left.
 * @param {{ runs: string[] }} view
 */
export function runsOf({ runs }) {
  return (runs.length ? runs : DEFAULT_RUNS).flatMap((text) => parseRun(text) ?? []);
}

/**
 * Return the runs of a view with their rankings.
 * @param {Comparison} comparison
 * @param {RankedView} ranked
 * @returns {RankedRun[]}
 */
export function rankedRuns(comparison, { view, fusion, alpha, rankings }) {
  return runsOf(view).map((run) => {
    if (run.mode !== "hybrid" || !run.fusion) return { run, fusion, alpha, rankings };
    const own = { fusion: run.fusion, alpha: run.alpha ?? comparison.autoAlpha };
    return { run, ...own, rankings: comparison.rankings(own) };
  });
}
