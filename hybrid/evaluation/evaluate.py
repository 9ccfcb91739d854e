"""Evaluation: means by kind of query with intervals, paired tests of runs, and largest wins."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

import numpy as np

from hybrid.errors import InvalidInput
from hybrid.evaluation.judgements import ALL, JudgedQuery, Judgements
from hybrid.evaluation.measures import CONDENSED, MEASURES, NDCG, first_relevant, measure_queries
from hybrid.evaluation.rankings import Rankings, rank_queries
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

    `p_holm` is p corrected for the number of comparisons in this measure; `better`, `equal` and
    `worse` count queries.
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
class QueryResult:
    """A run's result for a query: nDCG@10, and the first relevant film with its rank, if any."""

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
    of_run: QueryResult
    of_other: QueryResult

    @property
    def gain(self) -> float:
        """The difference in nDCG@10."""
        return self.of_run.ndcg - self.of_other.ndcg


@dataclass(frozen=True)
class Evaluation:
    """Runs measured on the same queries.

    `scores` holds float64 (queries,) by run and measure; `means` holds estimates by kind, run and
    measure.
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
        return {kind: len(rows) for kind, rows in kinds(self.judgements.queries).items()}

    @property
    def measures(self) -> Sequence[str]:
        """The measures that are meaningful on these judgements."""
        return measures_of(self.judgements)

    def differences(self, run: str, baseline: str) -> Scores:
        """Return the difference in nDCG@10 of each query, run - baseline, float64 (queries,)."""
        return self.scores[run][NDCG] - self.scores[baseline][NDCG]


def evaluate(
    search: HybridSearch,
    judgements: Judgements,
    runs: Sequence[Run],
    baseline: str | None = None,
    max_wins: int = 5,
    seed: int = 0,
) -> Evaluation:
    """Measure `runs`, and compare each with the baseline, or all pairs if there is none.

    `max_wins` is the number of queries listed for each run of a pair. Raises EngineUnavailable if
    an engine does not answer, InvalidInput if the judgements are for another index.
    """
    notes = [*judgements.notes, *_notes(search, judgements)]
    queries = judgements.queries
    rankings = rank_queries(search, queries, runs)
    scores = {run.name: measure_queries(queries, rankings[run.name]) for run in runs}
    pairs = _pairs([run.name for run in runs], baseline)
    tested = [name for name in (NDCG, CONDENSED) if name in measures_of(judgements)]
    return Evaluation(
        judgements,
        search.generation,
        seed,
        runs,
        rankings,
        scores,
        _means(queries, scores, seed),
        [row for name in tested for row in _comparisons(name, scores, pairs, seed)],
        _wins(search, queries, rankings, scores, pairs, max_wins),
        notes,
    )


def kinds(queries: Sequence[JudgedQuery]) -> Mapping[str, Sequence[int]]:
    """Return the rows of the queries of each kind, if there are several, and of all queries."""
    names = sorted({query.kind for query in queries} - {ALL})
    by_kind: dict[str, Sequence[int]] = {
        kind: [row for row, query in enumerate(queries) if query.kind == kind]
        for kind in names
        if len(names) > 1
    }
    return by_kind | {ALL: range(len(queries))}


def measures_of(judgements: Judgements) -> Sequence[str]:
    """Return the measures: without films judged 0, condensed lists are meaningless."""
    return [name for name in MEASURES if name != CONDENSED or judgements.pooled]


def _notes(search: HybridSearch, judgements: Judgements) -> list[str]:
    """Return notes on what limits the figures.

    Raises InvalidInput if the judgements are for another index.
    """
    relevant = sorted(set().union(*(query.relevant for query in judgements.queries)))
    rows = search.catalogue.columns.rows_of(np.array(relevant, np.int64))
    missing = int((rows < 0).sum())
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
    for kind, rows in kinds(queries).items():
        columns = iter(estimates(table[list(rows)], seed))
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
    ps = p_values(table, seed)
    columns = zip(pairs, table.T, estimates(table, seed), ps, holm(ps), strict=True)
    return [
        PairwiseTest(
            measure,
            run,
            other,
            estimate,
            float(p),
            float(p_holm),
            better=int((column > 0).sum()),
            equal=int((column == 0).sum()),
            worse=int((column < 0).sum()),
        )
        for (run, other), column, estimate, p, p_holm in columns
    ]


def estimates(table: Scores, seed: int) -> list[Estimate]:
    """Return the mean of each column of float64 (queries, k) with its interval."""
    lows, highs = intervals(table, seed).tolist()
    means = table.mean(axis=0).tolist()
    return [Estimate(*row) for row in zip(means, lows, highs, strict=True)]


def _wins(
    search: HybridSearch,
    queries: Sequence[JudgedQuery],
    rankings: Rankings,
    scores: Mapping[str, Mapping[str, Scores]],
    pairs: Sequence[tuple[str, str]],
    max_wins: int,
) -> list[Win]:
    """Return the largest wins of each run of a pair over the other."""

    def result(run: str, row: int) -> QueryResult:
        query = queries[row]
        rank, film = first_relevant(query, rankings[run][query.id]) or (None, None)
        title = None if film is None else search.movie(film).title
        return QueryResult(float(scores[run][NDCG][row]), rank, film, title)

    wins = []
    for pair in pairs:
        for run, other in (pair, pair[::-1]):
            gains = scores[run][NDCG] - scores[other][NDCG]
            best = np.argsort(-gains, kind="stable")[:max_wins]
            wins += [
                Win(queries[row], run, other, result(run, row), result(other, row))
                for row in best.tolist()
                if gains[row] > 0
            ]
    return wins
