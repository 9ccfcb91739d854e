"""One query in several rankings, and how they differ. Retrieval happens once."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from itertools import combinations, pairwise

import numpy as np
from numpy.typing import NDArray

from hybrid.comparison.agreement import jaccard, kendall_tau, rbo
from hybrid.errors import EngineUnavailable, InvalidInput
from hybrid.fusion.fused_ranking import FusedRanking
from hybrid.fusion.methods import Side, normalised
from hybrid.query import Query
from hybrid.ranking import Scores
from hybrid.retrieval.candidates import Candidates
from hybrid.schemas.comparison import (
    CandidateMovie,
    CompareResponse,
    ListStatistics,
    Move,
    Pair,
    RetrievedLists,
    RunRank,
    RunResponse,
    Swap,
)
from hybrid.schemas.runs import Run
from hybrid.search import HybridSearch
from hybrid.stopwatch import Stopwatch

MOST_MOVES = 10
"""So many films of a pair of rankings are named as having moved."""


@dataclass(frozen=True)
class FusedRun:
    """A run, and what it made of the candidates."""

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
        """Whether the run lists each candidate, bool (n,)."""
        return self.fused.ranking.ranks_of(self.fused.ids) > 0

    @cached_property
    def ranks(self) -> Mapping[int, int]:
        """The rank of each film that the run lists."""
        return {film: rank for rank, film in enumerate(self.fused.ranking.ids.tolist(), start=1)}


def compare(
    search: HybridSearch,
    query: Query,
    runs: Sequence[Run],
    grades: Mapping[int, int] | None = None,
) -> CompareResponse:
    """Return what each run makes of `query`, and how they differ.

    `grades`, by film, are what the runs are
    measured by. Raises EngineUnavailable where the keyword engine does not answer and a run needs
    it alone, InvalidInput where there is nothing to measure by or with.
    """
    if grades is not None:
        _check_grades(grades)
    watch = Stopwatch()
    with watch.stage("total"):
        candidates = search.retrieve(query.in_mode("hybrid"), watch)
        _check_answered(candidates, runs)
        with watch.stage("fuse"):
            fused = [_fused(search, candidates, run, query.limit) for run in runs]
        with watch.stage("hydrate"):
            hits = search.hydrate(candidates, [run.fused for run in fused], query.limit)
            movies = _movies(search, fused)
        with watch.stage("compare"):
            titles = {film: movie.title for film, movie in movies.items()}
            pairs = tuple(_pair(a, b, titles) for a, b in combinations(fused, 2))
            swaps = tuple(swap for run in fused for swap in _swaps(run))
        with watch.stage("measure"):
            measures = [grades and _measures(query, run, grades) for run in fused]
    sides = fused[0].fused
    return CompareResponse(
        runs={
            run.run.name: RunResponse(
                mode=run.run.mode,
                fusion=run.fused.method,
                alpha=run.fused.alpha.value,
                alpha_reason=run.fused.alpha.reason,
                hits=shown,
                measures=measured or None,
            )
            for run, shown, measured in zip(fused, hits, measures, strict=True)
        },
        pairs=pairs,
        movies=movies,
        lists=RetrievedLists(
            keyword=_list_figures(sides.keyword.retrieved),
            semantic=_list_figures(sides.semantic.retrieved),
        ),
        swaps=swaps,
        **search.answer_fields(candidates, watch),
    )


def _check_answered(candidates: Candidates, runs: Sequence[Run]) -> None:
    alone = [run.name for run in runs if run.mode == "keyword"]
    if candidates.degraded and alone:
        raise EngineUnavailable(
            f"the keyword engine does not answer, and the run '{alone[0]}' needs it"
        )


def _check_grades(grades: Mapping[int, int]) -> None:
    if find_spec("ir_measures") is None:
        problem = "need ir-measures, which this service lacks: `make install` installs it"
    elif not any(grades.values()):
        problem = "hold no film of grade 1 or more: there is nothing to find"
    else:
        return
    raise InvalidInput(f"judgments {problem}", {"judgments": problem})


def _fused(search: HybridSearch, candidates: Candidates, run: Run, limit: int) -> FusedRun:
    fusion = run.fusion.over(search.preferences.default)
    return FusedRun(run, search.fuse(candidates, run.mode, fusion), limit)


def _measures(query: Query, run: FusedRun, grades: Mapping[int, int]) -> dict[str, float]:
    # ir-measures comes with the full installation alone.
    from hybrid.evaluation.judgements import ALL, JudgedQuery
    from hybrid.evaluation.measures import MRR, NDCG, UNJUDGED, measured

    judged = JudgedQuery("q", ALL, query.text, query.filters, grades)
    names = (NDCG, MRR, UNJUDGED)
    scores = measured([judged], {judged.id: run.fused.ranking}, names)
    return {name: float(scores[name][0]) for name in names}


def _movies(search: HybridSearch, runs: Sequence[FusedRun]) -> dict[int, CandidateMovie]:
    """Return every candidate, in the order of their ids."""
    sides = runs[0].fused
    films = search.catalogue.films(sides.ids.tolist())
    keyword, semantic = _told(sides.keyword), _told(sides.semantic)
    scores = [run.fused.scores.tolist() for run in runs]
    movies = {}
    for place, film in enumerate(sides.ids.tolist()):
        movie = films[film].movie
        movies[film] = CandidateMovie(
            title=movie.title,
            year=movie.year,
            genres=movie.genres,
            keyword=keyword[place][0],
            keyword_rank=keyword[place][1],
            semantic=semantic[place][0],
            semantic_rank=semantic[place][1],
            runs={
                run.run.name: RunRank(rank=run.ranks.get(film), score=of_run[place])
                for run, of_run in zip(runs, scores, strict=True)
            },
        )
    return movies


def _told(side: Side) -> list[tuple[float | None, int | None]]:
    """Return score and rank of every candidate, None for what the side does not say."""
    return [
        (None if score != score else score, rank or None)  # NaN alone differs from itself
        for score, rank in zip(side.scores.tolist(), side.ranks.tolist(), strict=True)
    ]


def _list_figures(retrieved: Scores) -> ListStatistics:
    """Return the figures of a side's retrieved list, float64 (n,)."""
    if not len(retrieved):
        return ListStatistics(count=0, lowest=None, highest=None, mean=None, deviation=None)
    return ListStatistics(
        count=len(retrieved),
        lowest=float(retrieved.min()),
        highest=float(retrieved.max()),
        mean=float(retrieved.mean()),
        deviation=float(retrieved.std()),
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
    """Return the films that moved most; what only one run shows came from just below its last."""
    below = a.limit + 1
    from_, to = ({film: run.ranks[film] for film in run.top} for run in (a, b))

    def order(film: int) -> tuple[int, int, int]:
        before, after = from_.get(film, below), to.get(film, below)
        return -abs(before - after), min(before, after), film

    moved = [film for film in sorted({*from_, *to}, key=order) if from_.get(film) != to.get(film)]
    return tuple(
        Move(
            id=film,
            title=titles[film],
            a=from_.get(film),
            b=to.get(film),
            by=from_[film] - to[film] if film in from_ and film in to else None,
        )
        for film in moved[:MOST_MOVES]
    )


def _swaps(run: FusedRun) -> Iterator[Swap]:
    """Give the neighbours among the films shown that change places at some alpha."""
    fused = run.fused
    if fused.mode != "hybrid" or fused.method == "rrf":
        return
    keyword, semantic = normalised(fused.keyword, fused.semantic, fused.method)
    places = {film: place for place, film in enumerate(fused.ids.tolist())}
    for above, below in pairwise(run.top):
        a, b = places[above], places[below]
        alpha = swapping_alpha(
            (float(keyword[a]), float(semantic[a])), (float(keyword[b]), float(semantic[b]))
        )
        if alpha is not None:
            yield Swap(run=run.run.name, above=above, below=below, alpha=alpha)


def swapping_alpha(a: tuple[float, float], b: tuple[float, float]) -> float | None:
    """Return the alpha, 0 to 1, at which two films of (keyword, semantic) score the same.

    (1 - alpha) k_a + alpha s_a = (1 - alpha) k_b + alpha s_b, solved for alpha. None where there
    is none, or where it is every one.
    """
    of_words, of_meaning = b[0] - a[0], b[1] - a[1]
    if of_words == of_meaning:
        return None
    alpha = of_words / (of_words - of_meaning)
    return alpha if 0 <= alpha <= 1 else None
