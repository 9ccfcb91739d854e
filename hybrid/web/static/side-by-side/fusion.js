// @ts-check
// Fusion in the browser: the arithmetic of hybrid/fusion/methods.py, operation for operation.

/** @import { CandidateMovie, ListStatistics, RetrievedLists } from "./api.js" */

/**
 * What one engine says of the candidates, in the order of their ids.
 * @typedef {object} Side
 * @property {Float64Array} scores  NaN where the film has none
 * @property {Int32Array} ranks  1-based, 0 outside the side's list
 */

/**
 * In the order of ids. `preferred` is what each film gains by what the query prefers.
 * @typedef {{ ids: string[], keyword: Side, semantic: Side, preferred: Float64Array }} Candidates
 */

/**
 * What a fusion adds up: factor * ((1 - alpha) * keyword + alpha * semantic) + gained.
 * @typedef {object} NormalisedScores
 * @property {Float64Array} keyword
 * @property {Float64Array} semantic
 * @property {Float64Array} gained
 * @property {number} factor
 */

const RRF_K = 60;

/**
 * How far apart the best and the worst fused score of a method can be.
 * @type {Record<string, number>}
 */
const UNITS = { attainable: 1, min_max: 1, z_score: 6, dbsf: 1, rrf: 2 / (RRF_K + 1) };

/**
 * What each fusion method does to a score.
 * @type {Record<string, string>}
 */
export const FUSIONS = {
  attainable: "Scores as they are: shares of what the query could reach on any film.",
  min_max: "Each list stretched so that its lowest score is 0 and its highest 1.",
  z_score: "Scores as deviations from the mean of their list.",
  dbsf: "Each list stretched between three deviations below and above its mean.",
  rrf: "Ranks alone, no scores: 1 / (60 + rank) from each list.",
};

/**
 * Compare two ids as integers. They are strings because they may exceed what a number holds exactly.
 * @param {string} a
 * @param {string} b
 */
export function compareIds(a, b) {
  return a.length - b.length || (a < b ? -1 : Number(a > b));
}

/**
 * Return the candidates of a comparison.
 * @param {Record<string, CandidateMovie>} movies
 * @returns {Candidates}
 */
export function candidatesOf(movies) {
  const ids = Object.keys(movies).sort(compareIds);
  return {
    ids,
    keyword: {
      scores: Float64Array.from(ids, (id) => movies[id].keyword ?? Number.NaN),
      ranks: Int32Array.from(ids, (id) => movies[id].keyword_rank ?? 0),
    },
    semantic: {
      scores: Float64Array.from(ids, (id) => movies[id].semantic ?? Number.NaN),
      ranks: Int32Array.from(ids, (id) => movies[id].semantic_rank ?? 0),
    },
    preferred: Float64Array.from(ids, (id) => movies[id].preferred),
  };
}

/**
 * Return what a fusion method makes of each side, by row of the candidates.
 * @param {Candidates} candidates
 * @param {RetrievedLists} lists
 * @param {string} method
 * @returns {NormalisedScores}
 */
export function normalise({ keyword, semantic, preferred }, lists, method) {
  const gained = preferred.map((share) => UNITS[method] * share);
  if (method === "rrf") {
    return { keyword: reciprocal(keyword), semantic: reciprocal(semantic), gained, factor: 2 };
  }
  /** @type {(side: Side, list: ListStatistics) => Float64Array} */
  const scale = ({ scores }, list) => {
    const normaliser = NORMALISERS[method](list);
    return scores.map((score) => (Number.isNaN(score) ? 0 : normaliser(score)));
  };
  return {
    keyword: scale(keyword, lists.keyword),
    semantic: scale(semantic, lists.semantic),
    gained,
    factor: 1,
  };
}

/**
 * @param {Side} side
 * @returns {Float64Array}
 */
function reciprocal({ ranks }) {
  return Float64Array.from(ranks, (rank) => (rank > 0 ? 1 / (RRF_K + rank) : 0));
}

/** @param {number} value */
const clip = (value) => Math.min(Math.max(value, 0), 1);
const zero = () => 0;

/**
 * The methods that add scores: the statistics of a list to a function of one score.
 * @type {Record<string, (list: ListStatistics) => (score: number) => number>}
 */
const NORMALISERS = {
  attainable: () => (score) => score,
  min_max({ lowest, highest }) {
    if (lowest === null || highest === null) return zero;
    if (lowest === highest) return (score) => Number(score >= lowest);
    return (score) => clip((score - lowest) / (highest - lowest));
  },
  z_score({ lowest, highest, mean, deviation }) {
    if (mean === null || deviation === null || lowest === highest) return zero;
    return (score) => (score - mean) / deviation;
  },
  dbsf({ lowest, highest, mean, deviation }) {
    if (lowest === null || mean === null || deviation === null) return zero;
    if (lowest === highest) return (score) => (Math.sign(score - lowest) + 1) / 2;
    return (score) => clip((score - (mean - 3 * deviation)) / (6 * deviation));
  },
};

/**
 * Return the fused score of every candidate, by row. `alpha` is the semantic share, 0 to 1.
 * @param {NormalisedScores} normalised
 * @param {number} alpha
 */
export function fuse({ keyword, semantic, gained, factor }, alpha) {
  return keyword.map(
    (score, row) => factor * ((1 - alpha) * score + alpha * semantic[row]) + gained[row],
  );
}

/**
 * Return the rows of the candidates that are in either side's list, from best to worst.
 * @param {Candidates} candidates
 * @param {Float64Array} scores
 */
export function rank({ ids, keyword, semantic }, scores) {
  const rows = [...ids.keys()].filter((row) => keyword.ranks[row] || semantic.ranks[row]);
  // Rows are in the order of ids and sorting is stable: equal scores stay in it.
  return rows.sort((a, b) => scores[b] - scores[a]);
}

/**
 * Return the alpha at which two rows have the same score, null where there is none.
 * @param {NormalisedScores} normalised
 * @param {number} a
 * @param {number} b
 */
export function swapAlpha({ keyword, semantic, gained, factor }, a, b) {
  const gain = (gained[b] - gained[a]) / factor;
  const keywordGain = keyword[b] - keyword[a] + gain;
  const semanticGain = semantic[b] - semantic[a] + gain;
  if (keywordGain === semanticGain) return null;
  const alpha = keywordGain / (keywordGain - semanticGain);
  return alpha >= 0 && alpha <= 1 ? alpha : null;
}
