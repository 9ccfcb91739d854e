"""Tuning: choosing preferences by judged queries, and testing whether the gain is significant.

Every query is measured with preferences that were chosen without it (k-fold cross-validation:
Stone, "Cross-Validatory Choice and Assessment of Statistical Predictions", 1974). Queries that look
for the same film are in one fold, as they share their answer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import get_args

import numpy as np
from numpy.random import default_rng

from hybrid.errors import InvalidInput
from hybrid.evaluation.evaluate import Estimate, estimates
from hybrid.evaluation.judgements import JudgedQuery, Judgements
from hybrid.evaluation.measures import NDCG, measure_queries
from hybrid.evaluation.rankings import retrieve_queries
from hybrid.evaluation.significance import p_values
from hybrid.fusion.fused_ranking import rank_candidates
from hybrid.fusion.preferences import Preferences
from hybrid.query import AlphaOrAuto, FusionMethod
from hybrid.ranking import Ids, Scores
from hybrid.retrieval.candidates import Candidates
from hybrid.search import HybridSearch
from hybrid.terminal.progress import progress

ALPHAS: Sequence[AlphaOrAuto] = ("auto", *(step / 10 for step in range(11)))
TEXT_WEIGHTS = (0.55, 0.7, 0.85, 1.0)
PRIORS = (0.0, 0.05, 0.1, 0.2)

FOLDS = 5

MAX_P = 0.05
"""The gain is significant if its p is lower."""

MIN_GROUPS = 10
"""Minimum number of different wanted films: with fewer, folds are too small."""


@dataclass(frozen=True)
class Fold:
    """The rows of a fold's queries, and the preferences chosen on all other queries.

    `before` and `after` are nDCG@10 of its queries with the current and the chosen preferences.
    """

    queries: Sequence[int]
    chosen: Preferences
    before: float
    after: float


@dataclass(frozen=True)
class Tuning:
    """The result of a tuning.

    `before` and `after` are nDCG@10 over the held-out queries of all folds, `gain` is their
    difference and `p` its significance. `best` is the choice on all queries.
    """

    judgements: Judgements
    current: Preferences
    best: Preferences
    folds: Sequence[Fold]
    before: float
    after: float
    gain: Estimate
    p: float

    @property
    def adopted(self) -> bool:
        """Whether the gain is significant by interval and by p.

        If few queries differ, the bootstrap interval alone is too narrow.
        """
        return self.gain.low > 0 and self.p < MAX_P and self.best != self.current


def tune(search: HybridSearch, judgements: Judgements, folds: int = FOLDS, seed: int = 0) -> Tuning:
    """Choose preferences by nDCG@10, and measure the gain on held-out queries.

    Raises InvalidInput if there are too few queries, EngineUnavailable if an engine does not
    answer.
    """
    queries = judgements.queries
    parts = _parts(queries, folds, seed)
    current = search.preferences
    candidates = [of_query for _, of_query in retrieve_queries(search, queries)]
    choices = [current, *(p for p in _all(candidates) if p != current)]
    scores = _scores(queries, candidates, choices)
    results: list[Fold] = []
    after = np.zeros(len(queries))
    for part in parts:
        others = np.setdiff1d(np.arange(len(queries)), part)
        chosen = _best(scores, others)
        after[part] = scores[chosen][part]
        before = float(scores[current][part].mean())
        results.append(Fold(part.tolist(), chosen, before, float(after[part].mean())))
    differences = (after - scores[current])[:, np.newaxis]
    return Tuning(
        judgements,
        current,
        _best(scores, np.arange(len(queries))),
        results,
        float(scores[current].mean()),
        float(after.mean()),
        estimates(differences, seed)[0],
        float(p_values(differences, seed)[0]),
    )


def _all(candidates: Sequence[Candidates]) -> list[Preferences]:
    """Return what is tried: priors only where the source has votes."""
    priors = PRIORS if any(of_query.known.any() for of_query in candidates) else (0.0,)
    return [
        Preferences(fusion=method, alpha=alpha, text_weight=weight, prior=prior)
        for method, alpha, weight, prior in product(
            get_args(FusionMethod), ALPHAS, TEXT_WEIGHTS, priors
        )
    ]


def _parts(queries: Sequence[JudgedQuery], folds: int, seed: int) -> list[Ids]:
    """Return the rows of each fold's queries; those that look for the same film stay together."""
    groups = [_wanted_film(query) for query in queries]
    films = np.unique(groups)
    if len(films) < max(MIN_GROUPS, folds):
        raise InvalidInput(
            f"the queries look for {len(films)} different films: judge queries for at least "
            f"{max(MIN_GROUPS, folds)}, before anything can be learned from them"
        )
    shuffled = default_rng(seed).permutation(films)
    return [np.flatnonzero(np.isin(groups, shuffled[fold::folds])) for fold in range(folds)]


def _wanted_film(query: JudgedQuery) -> int:
    """Return the film that the query looks for: the lowest id among those of the best grade."""
    best = max(query.grades.values())
    return min(film for film, grade in query.grades.items() if grade == best)


def _scores(
    queries: Sequence[JudgedQuery],
    candidates: Sequence[Candidates],
    choices: Sequence[Preferences],
) -> Mapping[Preferences, Scores]:
    """Return nDCG@10 of every query with each choice of preferences, float64 (queries,)."""
    with progress(choices, "measuring") as bar:
        return {choice: _ndcg(queries, candidates, choice) for choice in bar}


def _ndcg(
    queries: Sequence[JudgedQuery], candidates: Sequence[Candidates], choice: Preferences
) -> Scores:
    rankings = {}
    for query, of_query in zip(queries, candidates, strict=True):
        fused = rank_candidates(
            of_query, "hybrid", choice.default, choice.text_weight, choice.prior
        )
        rankings[query.id] = fused.ranking.top(10)
    return measure_queries(queries, rankings, (NDCG,))[NDCG]


def _best(scores: Mapping[Preferences, Scores], rows: Ids) -> Preferences:
    """Return the choice of the best mean in these rows; of equals the first, which is current."""
    return max(scores, key=lambda choice: float(scores[choice][rows].mean()))
