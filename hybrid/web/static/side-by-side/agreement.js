// How far two rankings agree: the measures of hybrid/comparison/agreement.py.

const PERSISTENCE = 0.9;

/** Return how many films both lists have. */
export function common(a, b) {
  const other = new Set(b);
  return a.filter((film) => other.has(film)).length;
}

/** Return the share of the films of either list that are in both; 1 for two empty lists. */
export function jaccard(a, b) {
  const either = new Set([...a, ...b]).size;
  return either ? common(a, b) / either : 1;
}

/** Return the extrapolated rank-biased overlap, 0 to 1 (Webber et al. 2010, equation 32). */
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

/** Return how many films the lists have in common down to each rank of the longer one. */
function overlaps(short, long) {
  const ranks = new Map(short.map((film, place) => [film, place + 1]));
  const met = new Array(long.length).fill(0);
  long.forEach((film, place) => {
    if (ranks.has(film)) met[Math.max(place + 1, ranks.get(film)) - 1] += 1;
  });
  let sum = 0;
  return met.map((number) => (sum += number));
}

/** Return Kendall's tau-b of two scores of the same films; null where one orders no pair. */
export function kendallTau(a, b) {
  let [both, first, second] = [0, 0, 0];
  for (let i = 0; i < a.length; i += 1) {
    for (let j = 0; j < i; j += 1) {
      const [x, y] = [Math.sign(a[i] - a[j]), Math.sign(b[i] - b[j])];
      both += x * y;
      first += Math.abs(x);
      second += Math.abs(y);
    }
  }
  return first && second ? both / Math.sqrt(first * second) : null;
}
