"""Fusing two rankings of the same candidates into one score. Pure functions of arrays.

`attainable` is this project's own (docs/ranking.md). `min_max` and `z_score`: Lee, "Analyses of
Multiple Evidence Combination", SIGIR 1997, and Montague & Aslam, "Relevance Score Normalization
for Metasearch", CIKM 2001. `dbsf`: distribution-based score fusion, Mazzeschi, "Distribution-Based
Score Fusion (DBSF), a new approach to Vector Search Ranking", 2023. `rrf`: Cormack, Clarke &
Buettcher, "Reciprocal Rank Fusion outperforms Condorcet and individual Rank Learning Methods",
SIGIR 2009.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from hybrid.query import FusionMethod
from hybrid.ranking import Ranks, Scores

RRF_K = 60
"""Cormack et al. 2009, section 2."""


@dataclass(frozen=True)
class Side:
    """What one engine says of n candidates.

    `scores` float64 (n,), as a share of what the query could have scored on any film, 0 to 1 (a
    cosine may be negative), NaN where the film cannot have one; `ranks` int64 (n,), 1-based, 0
    outside the side's own list; `retrieved` float64, the scores of that whole list.
    """

    scores: Scores
    ranks: Ranks
    retrieved: Scores

    @classmethod
    def absent(cls, n: int) -> "Side":
        """Return the side of an engine that was not asked or did not answer: it adds nothing."""
        return cls(np.full(n, np.nan), np.zeros(n, np.int64), np.empty(0))


def attainable(side: Side) -> Scores:
    """Return the scores as they are, shares of what can be attained: needs no neighbours."""
    return side.scores


def min_max(side: Side) -> Scores:
    """Return scores scaled to 0..1 between the retrieved list's extremes, clipped.

    A list of one, or of equal scores, gives 1 to what reaches it.
    """
    if not len(side.retrieved):
        return np.zeros_like(side.scores)
    low, high = float(side.retrieved.min()), float(side.retrieved.max())
    if low == high:
        return np.where(np.isnan(side.scores), np.nan, (side.scores >= low).astype(np.float64))
    return np.clip((side.scores - low) / (high - low), 0.0, 1.0)


def z_score(side: Side) -> Scores:
    """Return scores in standard deviations from the retrieved list's mean; 0 without deviation."""
    if not len(side.retrieved) or side.retrieved.min() == side.retrieved.max():
        return np.zeros_like(side.scores)
    return (side.scores - float(side.retrieved.mean())) / float(side.retrieved.std())


def dbsf(side: Side) -> Scores:
    """Return scores scaled to 0..1 between mean -/+ 3 deviations, clipped.

    A list of one, or of equal scores, gives .5 to its score, 0 below and 1 above.
    """
    if not len(side.retrieved):
        return np.zeros_like(side.scores)
    mean, deviation = float(side.retrieved.mean()), float(side.retrieved.std())
    if side.retrieved.min() == side.retrieved.max():
        signs: Scores = np.sign(side.scores - side.retrieved[0])
        return (signs + 1) / 2
    return np.clip((side.scores - (mean - 3 * deviation)) / (6 * deviation), 0.0, 1.0)


NORMALISERS: Mapping[FusionMethod, Callable[[Side], Scores]] = {
    "attainable": attainable,
    "min_max": min_max,
    "z_score": z_score,
    "dbsf": dbsf,
}


def rrf(keyword: Side, semantic: Side, alpha: float) -> Scores:
    """Return the weighted sum of 1/(60+rank); a film outside a list gets nothing from it."""
    return 2 * ((1 - alpha) * _reciprocal(keyword.ranks) + alpha * _reciprocal(semantic.ranks))


def _reciprocal(ranks: Ranks) -> Scores:
    return np.where(ranks > 0, 1.0 / (RRF_K + ranks), 0.0)


def fuse(keyword: Side, semantic: Side, method: FusionMethod, alpha: float) -> Scores:
    """Return the fused score of each candidate, float64 (n,). `alpha` is the semantic share.

    A score that a side cannot give (NaN) adds nothing.
    """
    if method == "rrf":
        return rrf(keyword, semantic, alpha)
    of_words, of_meaning = normalised(keyword, semantic, method)
    return (1 - alpha) * of_words + alpha * of_meaning


def normalised(keyword: Side, semantic: Side, method: FusionMethod) -> tuple[Scores, Scores]:
    """Return what a fusion of scores adds up, float64 (n,) each: 0 where there is no score."""
    normalise = NORMALISERS[method]
    return np.nan_to_num(normalise(keyword)), np.nan_to_num(normalise(semantic))
