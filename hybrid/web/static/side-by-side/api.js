// @ts-check
// Requests to the service, and the parts of its responses that the page uses: hybrid/schemas/.

import { compareURL } from "../shared/url.js";

/**
 * The statistics of a retrieved list; null if it is empty.
 * @typedef {object} ListStatistics
 * @property {number | null} lowest
 * @property {number | null} highest
 * @property {number | null} mean
 * @property {number | null} deviation
 */

/** @typedef {{ keyword: ListStatistics, semantic: ListStatistics }} RetrievedLists */

/**
 * @typedef {object} CandidateMovie
 * @property {string} title
 * @property {number | null} year
 * @property {string[]} genres
 * @property {number | null} keyword  share, 0 to 1
 * @property {number | null} keyword_rank
 * @property {number | null} semantic  cosine
 * @property {number | null} semantic_rank
 * @property {string | null} sentence  the nearest to the query
 * @property {number} preferred  what the film gains, as a share of the range of scores
 */

/** @typedef {{ fusion: string, alpha: number, alpha_reason: string }} RunResponse */

/**
 * @typedef {object} CompareResponse
 * @property {{ limit: number }} query
 * @property {Record<string, RunResponse>} runs
 * @property {Record<string, CandidateMovie>} movies  by id
 * @property {RetrievedLists} lists
 * @property {string[]} degraded  engines that did not take part
 * @property {string[]} warnings
 */

/**
 * @typedef {object} KeywordWhy
 * @property {{ word: string, term: string, share: number }[] | null} terms
 * @property {string[]} not_found
 */

/**
 * @typedef {object} SemanticWhy
 * @property {{ sentence: string, cosine: number, weight: number }[]} sentences
 * @property {{ word: string, term: string, drop: number }[] | null} words
 */

/** @typedef {{ summary: string, keyword: KeywordWhy | null, semantic: SemanticWhy | null }} Why */

/** @typedef {[start: number, end: number][]} Ranges of code points, ascending, end excluded */

/**
 * @typedef {object} ExplainHit
 * @property {{ title: string, description: string | null }} movie
 * @property {Why} why
 * @property {{ description: Ranges }} highlight
 */

/**
 * Return the comparison of the three rankings of a query. Without one of the engines, compare the
 * rest: the response then says that it is degraded. Throws an Error with a message for users.
 * @param {URLSearchParams} query
 * @returns {Promise<CompareResponse>}
 */
export async function fetchComparison(query) {
  const first = await fetchJSON(compareURL(query));
  if (first.status === 200) return first.body;
  if (first.body?.error?.code === "engine_unavailable") {
    const second = await fetchJSON(compareURL(query, ["hybrid", "semantic"]));
    if (second.status === 200) return second.body;
    const third = await fetchJSON(compareURL(query, ["hybrid", "keyword"]));
    if (third.status === 200) return third.body;
  }
  throw new Error(first.body?.error?.message ?? `the service answered ${first.status}`);
}

/**
 * Return why a film has its rank; null if the service does not say.
 * @param {string} url
 * @returns {Promise<ExplainHit | null>}
 */
export async function fetchExplanation(url) {
  try {
    const { status, body } = await fetchJSON(url);
    return status === 200 ? body.hit : null;
  } catch {
    return null;
  }
}

/**
 * Return the status and the parsed body, null unless it is JSON.
 * @param {string} url
 */
async function fetchJSON(url) {
  const response = await fetch(url).catch(() => {
    throw new Error("The service cannot be reached");
  });
  const isJSON = response.headers.get("content-type")?.includes("json");
  return { status: response.status, body: isJSON ? await response.json() : null };
}
