"""Fusion methods: the scores of two engines to one score. Pure functions of arrays.

Each method normalises the scores of a side; the fused score is their sum, weighted by alpha.

`attainable` is this project's own (docs/ranking.md). `min_max` and `z_score`: Lee, "Analyses of
Multiple Evidence Combination", SIGIR 1997, and Montague & Aslam, "Relevance Score Normalization
for Metasearch", CIKM 2001. `dbsf`: distribution-based score fusion, Mazzeschi, "Distribution-Based
Score Fusion (DBSF), a new approach to Vector Search Ranking", 2023. `rrf`: Cormack, Clarke &
Buettcher, "Reciprocal Rank Fusion outperforms Condorcet and individual Rank Learning Methods",
SIGIR 2009.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from hybrid.query import FusionMethod
from hybrid.ranking import Ranks, Scores

RRF_K = 60
"""Cormack et al. 2009, section 2."""


@dataclass(frozen=True)
class SideScores:
    """One side's scores of n candidates, keyword or semantic.

    `scores` float64 (n,): the share of what the query could score on any film, 0 to 1, or a cosine,
    -1 to 1; NaN for a film that cannot have a score. `ranks` int64 (n,), 1-based, 0 outside the
    side's list; `list_scores` float64 (k,), the scores of that whole list.
    """

    scores: Scores
    ranks: Ranks
    list_scores: Scores

    @classmethod
    def absent(cls, n: int) -> "SideScores":
        """Return the side of an engine that was not asked or did not answer: it adds nothing."""
        return cls(np.full(n, np.nan), np.zeros(n, np.int64), np.empty(0))


class NormalisedScores(NamedTuple):
    """Both sides' scores as a fusion adds them, float64 (n,) each: 0 for a film without a score."""

    keyword: Scores
    semantic: Scores


def attainable(side: SideScores) -> Scores:
    """Return the scores unchanged: they are shares of what is attainable already."""
    return side.scores


def min_max(side: SideScores) -> Scores:
    """Return scores scaled to 0..1 between the list's lowest and highest score, clipped.

    If all scores of the list are equal, a score is 1 from there on and 0 below.
    """
    if not len(side.list_scores):
        return np.zeros_like(side.scores)
    low, high = float(side.list_scores.min()), float(side.list_scores.max())
    if low == high:
        return np.where(np.isnan(side.scores), np.nan, (side.scores >= low).astype(np.float64))
    return np.clip((side.scores - low) / (high - low), 0.0, 1.0)


def z_score(side: SideScores) -> Scores:
    """Return scores in standard deviations from the list's mean; 0 without deviation."""
    if not len(side.list_scores) or side.list_scores.min() == side.list_scores.max():
        return np.zeros_like(side.scores)
    return (side.scores - float(side.list_scores.mean())) / float(side.list_scores.std())


def dbsf(side: SideScores) -> Scores:
    """Return scores scaled to 0..1 between the list's mean -/+ 3 standard deviations, clipped.

    If all scores of the list are equal, that score is .5, a lower one 0 and a higher one 1.
    """
    if not len(side.list_scores):
        return np.zeros_like(side.scores)
    mean, deviation = float(side.list_scores.mean()), float(side.list_scores.std())
    if side.list_scores.min() == side.list_scores.max():
        signs: Scores = np.sign(side.scores - side.list_scores[0])
        return (signs + 1) / 2
    return np.clip((side.scores - (mean - 3 * deviation)) / (6 * deviation), 0.0, 1.0)


def rrf(side: SideScores) -> Scores:
    """Return 2 / (60 + rank), and 0 outside the list: an alpha of .5 then gives plain RRF."""
    return np.where(side.ranks > 0, 2.0 / (RRF_K + side.ranks), 0.0)


NORMALISERS: Mapping[FusionMethod, Callable[[SideScores], Scores]] = {
    "attainable": attainable,
    "min_max": min_max,
    "z_score": z_score,
    "dbsf": dbsf,
    "rrf": rrf,
}


HIGHEST_RRF = 2.0 / (RRF_K + 1)
"""The score of a film that is first in both lists."""

UNITS: Mapping[FusionMethod, float] = {
    "attainable": 1.0,
    "min_max": 1.0,
    "z_score": 6.0,
    "dbsf": 1.0,
    "rrf": HIGHEST_RRF,
}
"""How far apart the best and the worst fused score of a method can be; `z_score` has no bounds, but
dbsf counts six deviations."""


def normalise_sides(
    keyword: SideScores, semantic: SideScores, method: FusionMethod
) -> NormalisedScores:
    """Return both sides' normalised scores, 0 for a film without a score."""
    normalise = NORMALISERS[method]
    return NormalisedScores(np.nan_to_num(normalise(keyword)), np.nan_to_num(normalise(semantic)))


def with_prior(fused: Scores, known: Scores, prior: float, method: FusionMethod) -> Scores:
    """Return fused scores of which `prior`, 0 to 1, comes from how well known films are.

    `known` float64 (n,), 0 to 1, is scaled to the range of the method. A linear combination with
    evidence that does not depend on the query: Craswell, Robertson, Zaragoza & Taylor, "Relevance
    Weighting for Query Independent Evidence", SIGIR 2005.
    """
    return (1 - prior) * fused + prior * highest_score(method) * known


def highest_score(method: FusionMethod) -> float:
    """Return what a film scores that is best on both sides; of z-scores, which have no bound, 1."""
    return HIGHEST_RRF if method == "rrf" else 1.0


def weighted_sum(normalised: NormalisedScores, alpha: float) -> Scores:
    """Return the fused score of each candidate, float64 (n,). `alpha` is the semantic share."""
    return (1 - alpha) * normalised.keyword + alpha * normalised.semantic
