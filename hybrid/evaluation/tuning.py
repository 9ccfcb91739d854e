"""Learning a ranking's preferences from judgements, and telling a gain from luck.

Every query is measured by preferences that were chosen without it (k-fold cross-validation: Stone,
"Cross-Validatory Choice and Assessment of Statistical Predictions", 1974). Queries that look for
the same film stay in one fold, as each tells the answer of the others.
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
from hybrid.evaluation.measures import NDCG, measured
from hybrid.evaluation.rankings import retrieved
from hybrid.evaluation.significance import p_values
from hybrid.fusion.fused_ranking import ranked
from hybrid.fusion.preferences import Preferences
from hybrid.query import AlphaOrAuto, FusionMethod
from hybrid.ranking import Ids, Scores
from hybrid.retrieval.candidates import Candidates
from hybrid.search import HybridSearch
from hybrid.terminal.progress import progress

ALPHAS: Sequence[AlphaOrAuto] = ("auto", *(step / 10 for step in range(11)))
TEXT_WEIGHTS = (0.55, 0.7, 0.85, 1.0)

FOLDS = 5

LEAST_LUCK = 0.05

LEAST_GROUPS = 10
"""Fewer different films looked for, and every fold is a handful of them."""


@dataclass(frozen=True)
class Fold:
    """The queries of one fold, and what was chosen on all others."""

    queries: Sequence[int]
    chosen: Preferences
    before: float
    after: float


@dataclass(frozen=True)
class Tuning:
    """What was learned. `gain` is held out: no query was measured by what was chosen with it.

    `before` and `after` are nDCG@10 over all folds' held-out queries; `best` was chosen on all
    queries, and is `adopted` where the whole interval of the gain is above 0.
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
        """Whether the gain is more than chance would give.

        By both: where few queries differ the bootstrap interval is too narrow.
        """
        return self.gain.low > 0 and self.p < LEAST_LUCK and self.best != self.current


def tune(search: HybridSearch, judgements: Judgements, folds: int = FOLDS, seed: int = 0) -> Tuning:
    """Choose preferences by nDCG@10 and measure, on queries held out, what the choice gains.

    Raises InvalidInput where the queries are too few, EngineUnavailable where an engine is lost.
    """
    queries = judgements.queries
    parts = _parts(queries, folds, seed)
    current = search.preferences
    scores = _scores(search, queries, [current, *(p for p in _all() if p != current)])
    found: list[Fold] = []
    after = np.zeros(len(queries))
    for part in parts:
        others = np.setdiff1d(np.arange(len(queries)), part)
        chosen = _best(scores, others)
        after[part] = scores[chosen][part]
        before = float(scores[current][part].mean())
        found.append(Fold(part.tolist(), chosen, before, float(after[part].mean())))
    differences = (after - scores[current])[:, np.newaxis]
    return Tuning(
        judgements,
        current,
        _best(scores, np.arange(len(queries))),
        found,
        float(scores[current].mean()),
        float(after.mean()),
        estimates(differences, seed)[0],
        float(p_values(differences, seed)[0]),
    )


def _all() -> list[Preferences]:
    return [
        Preferences(fusion=method, alpha=alpha, text_weight=weight)
        for method, alpha, weight in product(get_args(FusionMethod), ALPHAS, TEXT_WEIGHTS)
    ]


def _parts(queries: Sequence[JudgedQuery], folds: int, seed: int) -> list[Ids]:
    """Return the places of each fold's queries, those that look for the same film together."""
    groups = [_looked_for(query) for query in queries]
    numbers = np.unique(groups)
    if len(numbers) < max(LEAST_GROUPS, folds):
        raise InvalidInput(
            f"the queries look for {len(numbers)} different films: judge queries for at least "
            f"{max(LEAST_GROUPS, folds)}, before anything can be learned from them"
        )
    shuffled = default_rng(seed).permutation(numbers)
    return [np.flatnonzero(np.isin(groups, shuffled[fold::folds])) for fold in range(folds)]


def _looked_for(query: JudgedQuery) -> int:
    """Return the film that the query looks for: of those of the best grade the lowest id."""
    best = max(query.grades.values())
    return min(film for film, grade in query.grades.items() if grade == best)


def _scores(
    search: HybridSearch, queries: Sequence[JudgedQuery], choices: Sequence[Preferences]
) -> Mapping[Preferences, Scores]:
    """Return nDCG@10 of every query under every choice, float64 (queries,)."""
    candidates = [found for _, found in retrieved(search, queries)]
    with progress(choices, "measuring") as shown:
        return {choice: _ndcg(queries, candidates, choice) for choice in shown}


def _ndcg(
    queries: Sequence[JudgedQuery], candidates: Sequence[Candidates], choice: Preferences
) -> Scores:
    rankings = {}
    for query, found in zip(queries, candidates, strict=True):
        ranking = ranked(found, "hybrid", choice.default, choice.text_weight).ranking
        rankings[query.id] = ranking.top(10)
    return measured(queries, rankings, (NDCG,))[NDCG]


def _best(scores: Mapping[Preferences, Scores], places: Ids) -> Preferences:
    """Return the choice of the best mean; of equals the first, which is the current one."""
    return max(scores, key=lambda choice: float(scores[choice][places].mean()))
