"""Agreement of two rankings. Pure functions of ids and scores.

`rbo`: rank-biased overlap, Webber, Moffat & Zobel, "A Similarity Measure for Indefinite Rankings",
ACM TOIS 28(4), 2010. `kendall_tau`: Kendall, "The Treatment of Ties in Ranking Problems",
Biometrika 33(3), 1945. scipy has the latter, but the service does not depend on scipy.
"""

from collections.abc import Sequence

import numpy as np

from hybrid.ranking import Scores

PERSISTENCE = 0.9
"""p of rank-biased overlap: the first ten ranks have 86 % of the weight."""


def jaccard(a: Sequence[int], b: Sequence[int]) -> float:
    """Return the Jaccard index of two lists of ids, 0 to 1; 1 for two empty lists."""
    either = set(a) | set(b)
    return len(set(a) & set(b)) / len(either) if either else 1.0


def rbo(a: Sequence[int], b: Sequence[int], p: float = PERSISTENCE) -> float:
    """Return the extrapolated rank-biased overlap, 0 to 1, Webber et al., equation 32.

    `a` and `b` are ids from best to worst, possibly of different lengths. Two empty lists have 1,
    an empty and another list 0.
    """
    short, long = sorted((a, b), key=len)
    if not short:
        return float(not long)
    s, l = len(short), len(long)  # noqa: E741, the paper's names
    depths = np.arange(1, l + 1)
    overlap = _overlaps(short, long)
    x_s, x_l = overlap[s - 1], overlap[-1]
    seen = overlap / depths * p**depths
    # Beyond its end the shorter list is assumed to agree as much as before.
    assumed = x_s * (depths - s) / (s * depths) * p**depths
    total = seen.sum() + assumed[s:].sum()
    return float((1 - p) / p * total + ((x_l - x_s) / l + x_s / s) * p**l)


def _overlaps(short: Sequence[int], long: Sequence[int]) -> Scores:
    """Return how many films are common up to each rank of the longer list, float64 (len(long),)."""
    ranks = {film: rank for rank, film in enumerate(short, start=1)}
    common_from = [
        max(rank, ranks[film]) for rank, film in enumerate(long, start=1) if film in ranks
    ]
    return np.cumsum(np.bincount(common_from, minlength=len(long) + 1)[1:]).astype(np.float64)


def kendall_tau(a: Scores, b: Scores) -> float | None:
    """Return Kendall's tau-b of two scores of the same films, float64 (n,) each: -1 to 1.

    Films of equal score are tied, whatever their ranks. None if either orders no pair of films.
    """
    orders = [np.sign(scores[:, np.newaxis] - scores) for scores in (a, b)]
    ordered = [np.abs(order).sum() for order in orders]
    if not all(ordered):
        return None
    return float((orders[0] * orders[1]).sum() / np.sqrt(ordered[0] * ordered[1]))
