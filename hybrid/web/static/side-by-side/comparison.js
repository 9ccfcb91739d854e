// @ts-check
// A comparison, and what becomes of it at another alpha or with another fusion method.

import { common, jaccard, kendallTau, rbo } from "./agreement.js";
import { candidatesOf, fuse, normalise, rank, swapAlpha } from "./fusion.js";

/** @import { Mode } from "../shared/runs.js" */
/** @import { View } from "../shared/url.js" */
/** @import { RankedRun } from "./runs.js" */
/** @import { CompareResponse } from "./api.js" */
/** @import { NormalisedScores } from "./fusion.js" */

/**
 * The three rankings, ids from best to worst, and what the hybrid one was computed from.
 * @typedef {object} Rankings
 * @property {string[]} keyword
 * @property {string[]} hybrid
 * @property {string[]} semantic
 * @property {number[]} order  the hybrid ranking as rows of the candidates
 * @property {Float64Array} scores  fused, by row
 * @property {NormalisedScores} normalised  by row
 */

/**
 * A film that overtakes the one above it when the slider passes `alpha`.
 * @typedef {object} Swap
 * @property {string} rising
 * @property {string} falling
 * @property {number} alpha
 * @property {number} after  an alpha at which it has happened
 */

/** @type {Mode[]} */
export const MODES = ["keyword", "hybrid", "semantic"];

/** How far past the alpha of a swap the slider goes, so that it has happened. */
const SWAP_MARGIN = 0.0001;

export class Comparison {
  #candidates;
  #lists;
  #rows;
  #server;
  /** @type {Map<string, NormalisedScores>} */
  #normalised = new Map();
  #oneSided;

  /** @param {CompareResponse} response */
  constructor(response) {
    this.movies = response.movies;
    this.limit = response.query.limit;
    this.degraded = response.degraded;
    this.warnings = response.warnings;
    this.#lists = response.lists;
    this.#server = response.runs.hybrid;
    this.#candidates = candidatesOf(response.movies);
    this.#rows = new Map(this.#candidates.ids.map((id, row) => [id, row]));
    this.#oneSided = { keyword: this.#list("keyword"), semantic: this.#list("semantic") };
  }

  get size() {
    return this.#candidates.ids.length;
  }

  /** The alpha that the server chooses for this query. */
  get autoAlpha() {
    return this.#server.alpha;
  }

  /** Why the server chooses it. */
  get autoReason() {
    return this.#server.alpha_reason;
  }

  /**
   * Return fusion and alpha of a view: the user's choice, else the server's.
   * @param {Pick<View, "fusion" | "alpha">} view
   */
  weights({ fusion, alpha }) {
    return { fusion: fusion ?? this.#server.fusion, alpha: alpha ?? this.#server.alpha };
  }

  /**
   * @param {{ fusion: string, alpha: number }} weights
   * @returns {Rankings}
   */
  rankings({ fusion, alpha }) {
    const normalised = this.#normalise(fusion);
    const scores = fuse(normalised, alpha);
    const order = rank(this.#candidates, scores);
    const hybrid = order.map((row) => this.#candidates.ids[row]);
    return { ...this.#oneSided, hybrid, order, scores, normalised };
  }

  /**
   * Return what each side adds to a film's score: normalised, and weighted.
   * @param {Rankings} rankings
   * @param {number} alpha
   * @param {string} film
   */
  scoreParts({ normalised, scores }, alpha, film) {
    const row = this.#rows.get(film) ?? -1;
    const { factor } = normalised;
    return {
      factor,
      keyword: normalised.keyword[row],
      semantic: normalised.semantic[row],
      weightedKeyword: factor * (1 - alpha) * normalised.keyword[row],
      weightedSemantic: factor * alpha * normalised.semantic[row],
      gained: normalised.gained[row],
      score: scores[row],
    };
  }

  /**
   * Return the next swaps below and above `alpha` that change what is shown.
   * @param {Rankings} rankings
   * @param {number} alpha
   */
  nextSwaps({ order, normalised }, alpha) {
    /** @type {Swap | null} */
    let below = null;
    /** @type {Swap | null} */
    let above = null;
    for (const [upper, lower] of this.#swappable(order)) {
      const at = swapAlpha(normalised, upper, lower);
      if (at === null) continue;
      const films = { rising: this.#candidates.ids[lower], falling: this.#candidates.ids[upper] };
      if (at <= alpha && at >= SWAP_MARGIN && (!below || below.alpha < at)) {
        below = { ...films, alpha: at, after: at - SWAP_MARGIN };
      } else if (at > alpha && at + SWAP_MARGIN <= 1 && (!above || above.alpha > at)) {
        above = { ...films, alpha: at, after: at + SWAP_MARGIN };
      }
    }
    return { below, above };
  }

  /**
   * Return the pairs of rows, the higher one first, whose swap changes the films shown: neighbours
   * among them, and the last one shown with every one below.
   * @param {number[]} order
   */
  #swappable(order) {
    const last = Math.min(order.length, this.limit) - 1;
    if (last < 0) return [];
    const neighbours = order.slice(0, last).map((row, position) => [row, order[position + 1]]);
    return [...neighbours, ...order.slice(last + 1).map((row) => [order[last], row])];
  }

  /**
   * Return how far each two runs agree, neighbours first.
   * @param {RankedRun[]} runs
   */
  agreement(runs) {
    const tops = runs.map(({ run, rankings }) => rankings[run.mode].slice(0, this.limit));
    const scores = runs.map(({ run, rankings }) => this.#scored(rankings, run.mode));
    return pairsOf(runs.length).map(([a, b]) => ({
      a: runs[a].run.name,
      b: runs[b].run.name,
      films: tops[a].length + tops[b].length,
      common: common(tops[a], tops[b]),
      jaccard: jaccard(tops[a], tops[b]),
      rbo: rbo(tops[a], tops[b]),
      tau: this.#tau(scores[a], scores[b]),
    }));
  }

  /**
   * @param {Map<number, number>} inA  scores by row
   * @param {Map<number, number>} inB
   */
  #tau(inA, inB) {
    const rows = [...this.#candidates.ids.keys()].filter((row) => inA.has(row) && inB.has(row));
    const scores = [inA, inB].map((scored) => rows.map((row) => scored.get(row) ?? 0));
    return kendallTau(scores[0], scores[1]);
  }

  /**
   * Return the score of each row that a ranking contains; the hybrid one contains all candidates.
   * @param {Rankings} rankings
   * @param {Mode} name
   * @returns {Map<number, number>}
   */
  #scored(rankings, name) {
    if (name === "hybrid") return new Map(rankings.scores.entries());
    const { scores, ranks } = this.#candidates[name];
    const rows = [...ranks.keys()].filter((row) => ranks[row] > 0);
    return new Map(rows.map((row) => [row, scores[row] || 0])); // NaN counts as 0
  }

  /** @param {"keyword" | "semantic"} side */
  #list(side) {
    const { ranks } = this.#candidates[side];
    const rows = [...ranks.keys()].filter((row) => ranks[row] > 0);
    return rows.sort((a, b) => ranks[a] - ranks[b]).map((row) => this.#candidates.ids[row]);
  }

  /** @param {string} fusion */
  #normalise(fusion) {
    let normalised = this.#normalised.get(fusion);
    if (!normalised) {
      normalised = normalise(this.#candidates, this.#lists, fusion);
      this.#normalised.set(fusion, normalised);
    }
    return normalised;
  }
}

/**
 * Return the pairs of so many columns, neighbours first.
 * @param {number} number
 */
function pairsOf(number) {
  const pairs = Array.from({ length: number }, (_, a) =>
    Array.from({ length: number - a - 1 }, (_, step) => [a, a + step + 1]),
  ).flat();
  return pairs.sort(([a, b], [c, d]) => Number(b - a > 1) - Number(d - c > 1));
}
