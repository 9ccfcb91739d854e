// Fusing again in the browser: the numbers of hybrid/fusion/methods.py, operation for operation.

const RRF_K = 60;

/** What each fusion does with a score, in words. */
export const FUSIONS = {
  attainable: "Scores as they are: shares of what the query could reach on any film.",
  min_max: "Each list stretched so that its lowest score is 0 and its highest 1.",
  z_score: "Scores as deviations from the mean of their list.",
  dbsf: "Each list stretched between three deviations below and above its mean.",
  rrf: "Places alone, no scores: 1 / (60 + rank) from each list.",
};

/** Compare two ids as the numbers they are; they may be larger than a number here can be. */
export function byId(a, b) {
  return a.length - b.length || (a < b ? -1 : Number(a > b));
}

/**
 * Return the candidates of a comparison in the order of their ids: scores NaN where a side has
 * none, ranks 0 outside a side's list.
 */
export function candidates(movies) {
  const ids = Object.keys(movies).sort(byId);
  const scores = (side) => Float64Array.from(ids, (id) => movies[id][side] ?? NaN);
  const ranks = (side) => Int32Array.from(ids, (id) => movies[id][`${side}_rank`] ?? 0);
  return {
    ids,
    keyword: { scores: scores("keyword"), ranks: ranks("keyword") },
    semantic: { scores: scores("semantic"), ranks: ranks("semantic") },
  };
}

/** Return what a fusion adds up of each side, as arrays in the order of candidates. */
export function normalised(found, lists, method) {
  const side = (name) => {
    const { scores, ranks } = found[name];
    if (method === "rrf") {
      return Float64Array.from(ranks, (rank) => (rank > 0 ? 1 / (RRF_K + rank) : 0));
    }
    const scaled = SCALES[method](lists[name]);
    return Float64Array.from(scores, (score) => (Number.isNaN(score) ? 0 : scaled(score)));
  };
  return { keyword: side("keyword"), semantic: side("semantic"), times: method === "rrf" ? 2 : 1 };
}

const clipped = (value) => Math.min(Math.max(value, 0), 1);
const none = () => 0;

const SCALES = {
  attainable: () => (score) => score,
  min_max({ count, lowest, highest }) {
    if (!count) return none;
    if (lowest === highest) return (score) => Number(score >= lowest);
    return (score) => clipped((score - lowest) / (highest - lowest));
  },
  z_score({ count, lowest, highest, mean, deviation }) {
    if (!count || lowest === highest) return none;
    return (score) => (score - mean) / deviation;
  },
  dbsf({ count, lowest, highest, mean, deviation }) {
    if (!count) return none;
    if (lowest === highest) return (score) => (Math.sign(score - lowest) + 1) / 2;
    return (score) => clipped((score - (mean - 3 * deviation)) / (6 * deviation));
  },
};

/** Return the fused score of every candidate. `alpha` is the semantic share, 0 to 1. */
export function fused({ keyword, semantic, times }, alpha) {
  return keyword.map((words, place) => times * ((1 - alpha) * words + alpha * semantic[place]));
}

/** Return the places of the candidates that either side lists, from best to worst. */
export function ranked(found, scores) {
  const listed = [...found.ids.keys()].filter(
    (place) => found.keyword.ranks[place] || found.semantic.ranks[place],
  );
  // Candidates are in the order of ids and sorting is stable: equal scores stay in it.
  return listed.sort((a, b) => scores[b] - scores[a]);
}

/** Return the alpha at which two candidates score the same, null where there is none. */
export function swapping({ keyword, semantic }, a, b) {
  const words = keyword[b] - keyword[a];
  const meaning = semantic[b] - semantic[a];
  if (words === meaning) return null;
  const alpha = words / (words - meaning);
  return alpha >= 0 && alpha <= 1 ? alpha : null;
}
