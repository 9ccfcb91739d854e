"""How far two rankings agree. Pure functions; films are their ids.

`rbo`: rank-biased overlap, Webber, Moffat & Zobel, "A Similarity Measure for Indefinite Rankings",
ACM TOIS 28(4), 2010. `kendall_tau`: Kendall, "The Treatment of Ties in Ranking Problems",
Biometrika 33(3), 1945. scipy has the latter, but serving does without scipy.
"""

from collections.abc import Sequence

import numpy as np

from hybrid.ranking import Scores

PERSISTENCE = 0.9
"""Of rank-biased overlap: the first ten places then have 86 % of the weight."""


def jaccard(a: Sequence[int], b: Sequence[int]) -> float:
    """Return the share of the films of either list that are in both; 1 for two empty lists."""
    either = set(a) | set(b)
    return len(set(a) & set(b)) / len(either) if either else 1.0


def rbo(a: Sequence[int], b: Sequence[int], p: float = PERSISTENCE) -> float:
    """Return the extrapolated rank-biased overlap, 0 to 1, Webber et al., equation 32.

    The lists may differ in length. Two empty lists are alike, and an empty one is like no other.
    """
    short, long = sorted((a, b), key=len)
    if not short:
        return float(not long)
    s, l = len(short), len(long)  # noqa: E741, the paper's names
    depths = np.arange(1, l + 1)
    overlap = _overlaps(short, long)
    x_s, x_l = overlap[s - 1], overlap[-1]
    seen = overlap / depths * p**depths
    # Beyond its end the shorter list is taken to go on agreeing as it did.
    assumed = x_s * (depths - s) / (s * depths) * p**depths
    total = seen.sum() + assumed[s:].sum()
    return float((1 - p) / p * total + ((x_l - x_s) / l + x_s / s) * p**l)


def _overlaps(short: Sequence[int], long: Sequence[int]) -> Scores:
    """Return how many films the lists have in common down to each rank of the longer one."""
    ranks = {film: rank for rank, film in enumerate(short, start=1)}
    met = [max(rank, ranks[film]) for rank, film in enumerate(long, start=1) if film in ranks]
    return np.cumsum(np.bincount(met, minlength=len(long) + 1)[1:]).astype(np.float64)


def kendall_tau(a: Scores, b: Scores) -> float | None:
    """Return tau-b of two scores of the same films, -1 to 1, float64 (n,) each.

    Films of equal score stand in no order, whatever their place in the list. None where one of
    the two orders no pair of films.
    """
    orders = [np.sign(scores[:, np.newaxis] - scores) for scores in (a, b)]
    ordered = [np.abs(order).sum() for order in orders]
    if not all(ordered):
        return None
    return float((orders[0] * orders[1]).sum() / np.sqrt(ordered[0] * ordered[1]))
