"""What was measured: means by kind with their intervals, runs compared in pairs, greatest wins."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

import numpy as np

from hybrid.errors import InvalidInput
from hybrid.evaluation.judgements import ALL, JudgedQuery, Judgements
from hybrid.evaluation.measures import CONDENSED, MEASURES, NDCG, first_relevant, measured
from hybrid.evaluation.rankings import Rankings, rankings
from hybrid.evaluation.significance import holm, intervals, p_values
from hybrid.ranking import Scores
from hybrid.schemas.runs import Run
from hybrid.search import HybridSearch


@dataclass(frozen=True)
class Estimate:
    """A mean over queries and its 95 % bootstrap interval."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class PairwiseTest:
    """What `run` gains over `baseline` on the same queries, in one measure.

    `p_holm` is p corrected for the number of comparisons in this measure.
    """

    measure: str
    run: str
    baseline: str
    difference: Estimate
    p: float
    p_holm: float
    better: int
    equal: int
    worse: int


@dataclass(frozen=True)
class Place:
    """What one run made of a query: nDCG@10, and its first relevant film if it has one."""

    ndcg: float
    rank: int | None
    film: int | None
    title: str | None


@dataclass(frozen=True)
class Win:
    """A query on which `run` is better than `other`."""

    query: JudgedQuery
    run: str
    other: str
    of_run: Place
    of_other: Place

    @property
    def gain(self) -> float:
        """By how much nDCG@10 is better."""
        return self.of_run.ndcg - self.of_other.ndcg


@dataclass(frozen=True)
class Evaluation:
    """Runs measured on the same queries.

    `scores` holds by run and measure float64 (queries,), `means` estimates by kind, run, measure.
    """

    judgements: Judgements
    generation: str
    seed: int
    runs: Sequence[Run]
    rankings: Rankings
    scores: Mapping[str, Mapping[str, Scores]]
    means: Mapping[str, Mapping[str, Mapping[str, Estimate]]]
    comparisons: Sequence[PairwiseTest]
    wins: Sequence[Win]
    notes: Sequence[str]

    @cached_property
    def sizes(self) -> Mapping[str, int]:
        """The number of queries of each kind."""
        return {kind: len(places) for kind, places in kinds(self.judgements.queries).items()}

    @property
    def measures(self) -> Sequence[str]:
        """The measures that mean something on these judgements."""
        return measures_of(self.judgements)

    def differences(self, run: str, baseline: str) -> Scores:
        """Return by how much nDCG@10 of each query is better in `run`, float64 (queries,)."""
        return self.scores[run][NDCG] - self.scores[baseline][NDCG]


def evaluate(
    search: HybridSearch,
    judgements: Judgements,
    runs: Sequence[Run],
    baseline: str | None = None,
    most_wins: int = 5,
    seed: int = 0,
) -> Evaluation:
    """Measure `runs`; compare each with the baseline, or all pairs of them without one.

    Raises EngineUnavailable where an engine is lost, InvalidInput where the judgements are not
    of this index.
    """
    notes = [*judgements.notes, *_notes(search, judgements)]
    queries = judgements.queries
    found = rankings(search, queries, runs)
    scores = {run.name: measured(queries, found[run.name]) for run in runs}
    pairs = _pairs([run.name for run in runs], baseline)
    compared = [name for name in (NDCG, CONDENSED) if name in measures_of(judgements)]
    return Evaluation(
        judgements,
        search.generation,
        seed,
        runs,
        found,
        scores,
        _means(queries, scores, seed),
        [row for name in compared for row in _comparisons(name, scores, pairs, seed)],
        _wins(search, queries, found, scores, pairs, most_wins),
        notes,
    )


def kinds(queries: Sequence[JudgedQuery]) -> Mapping[str, Sequence[int]]:
    """Return the places of the queries of each kind, where there are several, and last of all."""
    named = sorted({query.kind for query in queries} - {ALL})
    by_kind: dict[str, Sequence[int]] = {
        kind: [place for place, query in enumerate(queries) if query.kind == kind]
        for kind in named
        if len(named) > 1
    }
    return by_kind | {ALL: range(len(queries))}


def measures_of(judgements: Judgements) -> Sequence[str]:
    """Return the measures: where hardly a film is judged 0, judged films alone tell nothing."""
    return [name for name in MEASURES if name != CONDENSED or judgements.pooled]


def _notes(search: HybridSearch, judgements: Judgements) -> list[str]:
    """Say what limits the figures, and refuse the judgements of another index."""
    relevant = sorted(set().union(*(query.relevant for query in judgements.queries)))
    places = search.catalogue.columns.rows_of(np.array(relevant, np.int64))
    missing = int((places < 0).sum())
    if missing == len(relevant):
        raise InvalidInput(
            f"{judgements.file}: no relevant film is in this index: are its ids those of the file "
            "that was indexed?"
        )
    notes = []
    if missing:
        notes.append(f"not in this index: {missing:,} of {len(relevant):,} relevant films")
    if not judgements.pooled:
        notes.append("few queries have films judged 0: unjudged films count as not relevant")
    return notes


def _pairs(runs: Sequence[str], baseline: str | None) -> list[tuple[str, str]]:
    """Return (run, baseline) for each comparison; without a baseline, later against earlier."""
    if baseline is not None:
        return [(run, baseline) for run in runs if run != baseline]
    return [(later, earlier) for earlier, later in combinations(runs, 2)]


def _means(
    queries: Sequence[JudgedQuery], scores: Mapping[str, Mapping[str, Scores]], seed: int
) -> Mapping[str, Mapping[str, Mapping[str, Estimate]]]:
    table = np.column_stack([scores[run][measure] for run in scores for measure in MEASURES])
    means: dict[str, dict[str, dict[str, Estimate]]] = {}
    for kind, places in kinds(queries).items():
        columns = iter(estimates(table[list(places)], seed))
        means[kind] = {run: {name: next(columns) for name in MEASURES} for run in scores}
    return means


def _comparisons(
    measure: str,
    scores: Mapping[str, Mapping[str, Scores]],
    pairs: Sequence[tuple[str, str]],
    seed: int,
) -> list[PairwiseTest]:
    if not pairs:
        return []
    table = np.column_stack([scores[run][measure] - scores[other][measure] for run, other in pairs])
    p = p_values(table, seed)
    columns = zip(pairs, table.T, estimates(table, seed), p, holm(p), strict=True)
    return [
        PairwiseTest(
            measure,
            run,
            other,
            estimate,
            float(alone),
            float(corrected),
            better=int((column > 0).sum()),
            equal=int((column == 0).sum()),
            worse=int((column < 0).sum()),
        )
        for (run, other), column, estimate, alone, corrected in columns
    ]


def estimates(table: Scores, seed: int) -> list[Estimate]:
    """Return the mean of each column with its interval."""
    lows, highs = intervals(table, seed).tolist()
    means = table.mean(axis=0).tolist()
    return [Estimate(*row) for row in zip(means, lows, highs, strict=True)]


def _wins(
    search: HybridSearch,
    queries: Sequence[JudgedQuery],
    found: Rankings,
    scores: Mapping[str, Mapping[str, Scores]],
    pairs: Sequence[tuple[str, str]],
    most: int,
) -> list[Win]:
    """Return the greatest wins of either run of each pair over the other."""

    def place(run: str, at: int) -> Place:
        rank, film = first_relevant(queries[at], found[run][queries[at].id]) or (None, None)
        title = None if film is None else search.movie(film).title
        return Place(float(scores[run][NDCG][at]), rank, film, title)

    wins = []
    for pair in pairs:
        for run, other in (pair, pair[::-1]):
            gains = scores[run][NDCG] - scores[other][NDCG]
            best = np.argsort(-gains, kind="stable")[:most]
            wins += [
                Win(queries[at], run, other, place(run, at), place(other, at))
                for at in best.tolist()
                if gains[at] > 0
            ]
    return wins
