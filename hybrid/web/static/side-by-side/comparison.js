// The answer of GET /compare, and what becomes of it at another alpha or by another fusion.

import { common, jaccard, kendallTau, rbo } from "./agreement.js";
import { candidates, fused, normalised, ranked, swapping } from "./fusion.js";

export const COLUMNS = ["keyword", "hybrid", "semantic"];

/** Where two neighbours change places: so far beyond it that they have. */
const BEYOND = 0.0001;

export class Comparison {
  #found;
  #places;
  #normalised = new Map();
  #fixed;

  constructor(answer) {
    this.movies = answer.movies;
    this.lists = answer.lists;
    this.limit = answer.query.limit;
    this.degraded = answer.degraded;
    this.warnings = answer.warnings;
    this.chosen = answer.runs.hybrid;
    this.#found = candidates(answer.movies);
    this.#places = new Map(this.#found.ids.map((id, place) => [id, place]));
    this.#fixed = { keyword: this.#ordered("keyword"), semantic: this.#ordered("semantic") };
  }

  get size() {
    return this.#found.ids.length;
  }

  /** Return the three rankings, from best to worst, and every candidate's fused score. */
  at(fusion, alpha) {
    const sides = this.#sides(fusion);
    const scores = fused(sides, alpha);
    const order = ranked(this.#found, scores);
    return { ...this.#fixed, hybrid: order.map((place) => this.#found.ids[place]), order, scores, sides };
  }

  /** Return what each side adds to a film's score, and that score. */
  parts({ sides, scores }, alpha, film) {
    const place = this.#places.get(film);
    return {
      keyword: sides.keyword[place],
      semantic: sides.semantic[place],
      words: sides.times * (1 - alpha) * sides.keyword[place],
      meaning: sides.times * alpha * sides.semantic[place],
      times: sides.times,
      score: scores[place],
    };
  }

  /** Return the nearest alphas below and above at which two of the films shown change places. */
  swaps({ order, sides }, alpha) {
    const next = { below: null, above: null };
    const last = Math.min(order.length, this.limit) - 1;
    // What is shown changes where neighbours swap, or where any film from below passes the last.
    const pairs = order.slice(0, last).map((place, rank) => [place, order[rank + 1]]);
    if (last >= 0) pairs.push(...order.slice(last + 1).map((place) => [order[last], place]));
    for (const [upper, lower] of pairs) {
      const at = swapping(sides, upper, lower);
      if (at === null) continue;
      const swap = { passes: this.#found.ids[lower], passed: this.#found.ids[upper], at };
      if (at - BEYOND >= 0 && at <= alpha && !(next.below?.at >= at)) {
        next.below = { ...swap, to: at - BEYOND };
      } else if (at + BEYOND <= 1 && at > alpha && !(next.above?.at <= at)) {
        next.above = { ...swap, to: at + BEYOND };
      }
    }
    return next;
  }

  /** Return how far each two of the rankings agree. */
  pairs(at) {
    return [["keyword", "hybrid"], ["hybrid", "semantic"], ["keyword", "semantic"]].map(([a, b]) => {
      const [first, second] = [at[a].slice(0, this.limit), at[b].slice(0, this.limit)];
      return {
        a,
        b,
        common: common(first, second),
        jaccard: jaccard(first, second),
        rbo: rbo(first, second),
        tau: this.#tau(at, a, b),
      };
    });
  }

  #tau(at, a, b) {
    const listed = (name, place) => name === "hybrid" || this.#found[name].ranks[place] > 0;
    const both = [...this.#found.ids.keys()].filter((place) => listed(a, place) && listed(b, place));
    const scores = (name) => {
      const all = name === "hybrid" ? at.scores : this.#found[name].scores;
      return both.map((place) => (Number.isNaN(all[place]) ? 0 : all[place]));
    };
    return kendallTau(scores(a), scores(b));
  }

  #ordered(side) {
    const { ids } = this.#found;
    const { ranks } = this.#found[side];
    const listed = [...ids.keys()].filter((place) => ranks[place] > 0);
    return listed.sort((a, b) => ranks[a] - ranks[b]).map((place) => ids[place]);
  }

  #sides(fusion) {
    if (!this.#normalised.has(fusion)) {
      this.#normalised.set(fusion, normalised(this.#found, this.lists, fusion));
    }
    return this.#normalised.get(fusion);
  }
}

/**
 * Ask for a comparison. Where the keyword engine is away, compare what there is: the answer then
 * says that it is degraded. Throws an Error whose message is for people.
 */
export async function compare(fields) {
  const [status, answer] = await asked(fields);
  if (status === 200) return new Comparison(answer);
  if (answer?.error?.code === "engine_unavailable") {
    const without = new URLSearchParams([...fields, ["run", "hybrid"], ["run", "semantic"]]);
    const [again, degraded] = await asked(without);
    if (again === 200) return new Comparison(degraded);
  }
  throw new Error(answer?.error?.message ?? `the service answered ${status}`);
}

async function asked(fields) {
  const answer = await fetch(`/compare?${fields}`).catch(() => {
    throw new Error("The service cannot be reached");
  });
  const isJson = answer.headers.get("content-type")?.includes("json");
  return [answer.status, isJson ? await answer.json() : null];
}
