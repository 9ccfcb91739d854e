// @ts-check
// How far two rankings agree: the measures of hybrid/comparison/agreement.py.

const PERSISTENCE = 0.9;

/**
 * Return how many films both lists contain.
 * @template T
 * @param {T[]} a
 * @param {T[]} b
 */
export function common(a, b) {
  const inB = new Set(b);
  return a.filter((film) => inB.has(film)).length;
}

/**
 * Return the share of the films of either list that are in both; 1 for two empty lists.
 * @template T
 * @param {T[]} a
 * @param {T[]} b
 */
export function jaccard(a, b) {
  const union = new Set([...a, ...b]).size;
  return union ? common(a, b) / union : 1;
}

/**
 * Return the extrapolated rank-biased overlap, 0 to 1 (Webber et al. 2010, equation 32).
 * @template T
 * @param {T[]} a
 * @param {T[]} b
 */
export function rbo(a, b, p = PERSISTENCE) {
  const [short, long] = a.length <= b.length ? [a, b] : [b, a];
  if (!short.length) return Number(!long.length);
  const [s, l] = [short.length, long.length];
  const overlap = overlaps(short, long);
  const [xs, xl] = [overlap[s - 1], overlap[l - 1]];
  let total = 0;
  for (let depth = 1; depth <= l; depth += 1) {
    total += (overlap[depth - 1] / depth) * p ** depth;
    if (depth > s) total += ((xs * (depth - s)) / (s * depth)) * p ** depth;
  }
  return ((1 - p) / p) * total + ((xl - xs) / l + xs / s) * p ** l;
}

/**
 * Return how many films the lists have in common down to each rank of the longer one.
 * @template T
 * @param {T[]} short
 * @param {T[]} long
 */
function overlaps(short, long) {
  const shortRanks = new Map(short.map((film, position) => [film, position + 1]));
  const newInBoth = new Array(long.length).fill(0);
  long.forEach((film, position) => {
    const rank = shortRanks.get(film);
    if (rank !== undefined) newInBoth[Math.max(position + 1, rank) - 1] += 1;
  });
  let sum = 0;
  return newInBoth.map((films) => {
    sum += films;
    return sum;
  });
}

/**
 * Return Kendall's tau-b of two scores of the same films, -1 to 1; null where one orders no pair.
 * @param {number[]} a
 * @param {number[]} b
 */
export function kendallTau(a, b) {
  let [agreeing, inA, inB] = [0, 0, 0];
  for (let i = 0; i < a.length; i += 1) {
    for (let j = 0; j < i; j += 1) {
      const [x, y] = [Math.sign(a[i] - a[j]), Math.sign(b[i] - b[j])];
      agreeing += x * y;
      inA += Math.abs(x);
      inB += Math.abs(y);
    }
  }
  return inA && inB ? agreeing / Math.sqrt(inA * inB) : null;
}
