"""Comparison: one query, retrieved once and ranked in several ways."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from itertools import chain, combinations, pairwise
from math import isnan
from textwrap import shorten

import numpy as np
from numpy.typing import NDArray

from hybrid.bounds import max_entries
from hybrid.comparison.agreement import jaccard, kendall_tau, rbo
from hybrid.engines.deadline import Deadline
from hybrid.errors import EngineUnavailable, InvalidInput
from hybrid.fusion.boosts import boosts
from hybrid.fusion.fused_ranking import FusedRanking, rank_candidates
from hybrid.fusion.methods import SideScores
from hybrid.hydration import build_hits
from hybrid.monitoring.stopwatch import Stopwatch
from hybrid.query import Query
from hybrid.ranking import Scores
from hybrid.retrieval.candidates import Candidates
from hybrid.retrieval.understood import understood
from hybrid.schemas.comparison import (
    CandidateMovie,
    CompareResponse,
    ListStatistics,
    Move,
    MovieDetails,
    Pair,
    RetrievedLists,
    RunHit,
    RunRank,
    RunResponse,
    Swap,
)
from hybrid.schemas.runs import Run
from hybrid.schemas.search import Hit
from hybrid.search import HybridSearch
from hybrid.storage.catalogue import CatalogueFilm

MAX_SENTENCE = 200
"""Characters of a candidate's sentence."""

MAX_MOVES = 10
"""Maximum number of films listed as moves of a pair of runs."""


@dataclass(frozen=True)
class FusedRun:
    """A run and its ranking, of which the first `limit` films are shown."""

    run: Run
    fused: FusedRanking
    limit: int

    @property
    def top(self) -> Sequence[int]:
        """The films shown, from best to worst."""
        films: list[int] = self.fused.ranking.top(self.limit).ids.tolist()
        return films

    @cached_property
    def listed(self) -> NDArray[np.bool_]:
        """Whether each candidate is in the ranking, bool (n,)."""
        return self.fused.ranking.ranks_of(self.fused.candidates.ids) > 0

    @cached_property
    def ranks(self) -> Mapping[int, int]:
        """The rank of each film in the ranking, by id."""
        return {film: rank for rank, film in enumerate(self.fused.ranking.ids.tolist(), start=1)}


def compare(
    search: HybridSearch,
    query: Query,
    runs: Sequence[Run],
    grades: Mapping[int, int] | None = None,
    deadline: Deadline | None = None,
) -> CompareResponse:
    """Return the ranking of `query` by each run, and how the rankings differ.

    `grades`, by film, are the judgments to measure by; the deadline is `search.seconds` from now
    unless given. Raises EngineUnavailable if an engine that is needed does not answer, InvalidInput
    if no film has a grade above 0 or ir-measures is not installed.
    """
    _check_grades(grades)
    deadline = deadline or Deadline.after(search.seconds)
    watch = Stopwatch()
    with watch.stage("total"):
        candidates = search.retrieve(query.in_mode("hybrid"), watch, deadline)
        _check_answered(candidates, runs)
        with watch.stage("fuse"):
            fused_runs = [_fuse(search, candidates, run, query.limit) for run in runs]
        with watch.stage("hydrate"):
            details = search.details(candidates, _shown(fused_runs), deadline)
            hits = [build_hits(run.fused, run.top, details) for run in fused_runs]
            movies = _movies(search, fused_runs, hits)
        with watch.stage("compare"):
            titles = {film: movie.title for film, movie in movies.items()}
            pairs = tuple(_pair(a, b, titles) for a, b in combinations(fused_runs, 2))
            swaps = tuple(swap for run in fused_runs for swap in _swaps(run))
        with watch.stage("measure"):
            scores = [_measures(query, run, grades) for run in fused_runs]
    return CompareResponse(
        query=candidates.query,
        understood=understood(candidates.parsed),
        runs=_run_responses(fused_runs, hits, scores),
        pairs=pairs,
        movies=movies,
        lists=_lists(fused_runs[0].fused),
        swaps=swaps,
        **search.answer_fields(candidates, details, watch),
    )


def _run_responses(
    runs: Sequence[FusedRun],
    hits: Sequence[tuple[Hit, ...]],
    measures: Sequence[dict[str, float] | None],
) -> dict[str, RunResponse]:
    return {
        run.run.name: RunResponse(
            mode=run.run.mode,
            fusion=run.fused.method,
            alpha=run.fused.alpha.value,
            alpha_reason=run.fused.alpha.reason,
            hits=tuple(map(RunHit.of, hits_of_run)),
            measures=measures_of_run,
        )
        for run, hits_of_run, measures_of_run in zip(runs, hits, measures, strict=True)
    }


def _check_answered(candidates: Candidates, runs: Sequence[Run]) -> None:
    for run in runs:
        if run.mode in candidates.degraded:
            raise EngineUnavailable(
                f"the {run.mode} engine does not answer, and the run '{run.name}' needs it"
            )


def _check_grades(grades: Mapping[int, int] | None) -> None:
    if grades is None:
        return
    if find_spec("ir_measures") is None:
        problem = "need ir-measures, which this service lacks: `make install` installs it"
    elif not any(grades.values()):
        problem = "hold no film of grade 1 or more: there is nothing to find"
    else:
        return
    raise InvalidInput(f"judgments {problem}", {"judgments": problem})


def _fuse(search: HybridSearch, candidates: Candidates, run: Run, limit: int) -> FusedRun:
    fusion = run.fusion.over(search.preferences.default)
    # Without the prior: what is compared are the two sides, at any alpha.
    fused = rank_candidates(candidates, run.mode, fusion, search.preferences.text_weight)
    return FusedRun(run, fused, limit)


def _measures(
    query: Query, run: FusedRun, grades: Mapping[int, int] | None
) -> dict[str, float] | None:
    if grades is None:
        return None
    # ir-measures is only in the full installation.
    from hybrid.evaluation.judgements import ALL, JudgedQuery
    from hybrid.evaluation.measures import MRR, NDCG, UNJUDGED, measure_queries

    judged = JudgedQuery("q", ALL, query.text, query.filters, grades)
    names = (NDCG, MRR, UNJUDGED)
    scores = measure_queries([judged], {judged.id: run.fused.ranking}, names)
    return {name: float(scores[name][0]) for name in names}


def _shown(runs: Sequence[FusedRun]) -> Sequence[int]:
    """Return the films that any run shows, each once."""
    return list(dict.fromkeys(chain.from_iterable(run.top for run in runs)))


def _movies(
    search: HybridSearch, runs: Sequence[FusedRun], hits: Sequence[tuple[Hit, ...]]
) -> dict[int, CandidateMovie]:
    """Return every candidate by id, in the order of ids, those of `hits` with details."""
    shown = {hit.id: hit for hit in chain.from_iterable(hits)}
    fused = runs[0].fused  # both sides are the same in all runs
    ids = fused.candidates.ids.tolist()
    films = search.catalogue.films(ids)
    keyword, semantic = _scores_and_ranks(fused.keyword), _scores_and_ranks(fused.semantic)
    preferred = boosts(fused.candidates).tolist()
    scores = [run.fused.scores.tolist() for run in runs]
    sentences = _sentences(fused.candidates, films)
    movies = {}
    for row, film in enumerate(ids):
        movie = films[film].movie
        movies[film] = CandidateMovie(
            title=movie.title,
            year=movie.year,
            genres=movie.genres[: max_entries("genres")],
            keyword=keyword[row][0],
            keyword_rank=keyword[row][1],
            semantic=semantic[row][0],
            semantic_rank=semantic[row][1],
            sentence=sentences[row],
            preferred=preferred[row],
            runs={
                run.run.name: RunRank(rank=run.ranks.get(film), score=run_scores[row])
                for run, run_scores in zip(runs, scores, strict=True)
            },
            details=MovieDetails.of(shown[film]) if film in shown else None,
        )
    return movies


def _sentences(candidates: Candidates, films: Mapping[int, CatalogueFilm]) -> list[str | None]:
    """Return the sentence of each candidate that is nearest to the query, shortened."""
    numbered = zip(candidates.ids.tolist(), candidates.sentences.tolist(), strict=True)
    best = [films[film].sentence(number) for film, number in numbered]
    return [text and shorten(text, MAX_SENTENCE, placeholder=" …") for text in best]


def _scores_and_ranks(side: SideScores) -> list[tuple[float | None, int | None]]:
    """Return score and rank of every candidate, None where it has none."""
    return [
        (None if isnan(score) else score, rank or None)
        for score, rank in zip(side.scores.tolist(), side.ranks.tolist(), strict=True)
    ]


def _lists(fused: FusedRanking) -> RetrievedLists:
    return RetrievedLists(
        keyword=_statistics(fused.keyword.list_scores),
        semantic=_statistics(fused.semantic.list_scores),
    )


def _statistics(scores: Scores) -> ListStatistics:
    """Return the statistics of the scores of a list, float64 (k,)."""
    if not len(scores):
        return ListStatistics(count=0, lowest=None, highest=None, mean=None, deviation=None)
    return ListStatistics(
        count=len(scores),
        lowest=float(scores.min()),
        highest=float(scores.max()),
        mean=float(scores.mean()),
        deviation=float(scores.std()),
    )


def _pair(a: FusedRun, b: FusedRun, titles: Mapping[int, str]) -> Pair:
    both = a.listed & b.listed
    return Pair(
        a=a.run.name,
        b=b.run.name,
        common=len(set(a.top) & set(b.top)),
        jaccard=jaccard(a.top, b.top),
        rbo=rbo(a.top, b.top),
        kendall_tau=kendall_tau(a.fused.scores[both], b.fused.scores[both]),
        moves=_moves(a, b, titles),
    )


def _moves(a: FusedRun, b: FusedRun, titles: Mapping[int, str]) -> tuple[Move, ...]:
    """Return the films that moved most.

    A film that only one run shows counts as if the other had it just below its last one.
    """
    below = a.limit + 1
    from_, to = ({film: run.ranks[film] for film in run.top} for run in (a, b))

    def order(film: int) -> tuple[int, int, int]:
        before, after = from_.get(film, below), to.get(film, below)
        return -abs(before - after), min(before, after), film

    films = [film for film in sorted({*from_, *to}, key=order) if from_.get(film) != to.get(film)]
    return tuple(
        Move(
            id=film,
            title=titles[film],
            a=from_.get(film),
            b=to.get(film),
            by=from_[film] - to[film] if film in from_ and film in to else None,
        )
        for film in films[:MAX_MOVES]
    )


def _swaps(run: FusedRun) -> Iterator[Swap]:
    """Yield the neighbours among the films shown whose order changes at some alpha."""
    fused = run.fused
    if fused.mode != "hybrid" or fused.method == "rrf":
        return
    keyword, semantic = (side + fused.boosts for side in fused.normalised)
    rows = fused.candidates.rows_of(np.array(run.top, np.int64)).tolist()
    scores = [(float(keyword[row]), float(semantic[row])) for row in rows]
    for (above, below), (a, b) in zip(pairwise(run.top), pairwise(scores), strict=True):
        alpha = swapping_alpha(a, b)
        if alpha is not None:
            yield Swap(run=run.run.name, above=above, below=below, alpha=alpha)


def swapping_alpha(a: tuple[float, float], b: tuple[float, float]) -> float | None:
    """Return the alpha, 0 to 1, at which two films of (keyword, semantic) scores score the same.

    (1 - alpha) k_a + alpha s_a = (1 - alpha) k_b + alpha s_b, solved for alpha. None if there is
    no such alpha, or if every alpha is.
    """
    keyword, semantic = b[0] - a[0], b[1] - a[1]
    if keyword == semantic:
        return None
    alpha = keyword / (keyword - semantic)
    return alpha if 0 <= alpha <= 1 else None
