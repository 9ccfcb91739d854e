"""The rankings that runs get for judged queries."""

from collections.abc import Iterator, Mapping, Sequence

from hybrid.errors import EngineUnavailable
from hybrid.evaluation.judgements import JudgedQuery
from hybrid.query import SearchQuery
from hybrid.ranking import Ranking
from hybrid.retrieval.candidates import Candidates
from hybrid.schemas.runs import Run
from hybrid.search import HybridSearch
from hybrid.terminal.progress import progress

DEPTH = 100
"""Films of each ranking that are looked at: recall@100 needs no more."""

Rankings = Mapping[str, Mapping[str, Ranking]]
"""By the name of the run, then by the id of the query."""


def rankings(search: HybridSearch, queries: Sequence[JudgedQuery], runs: Sequence[Run]) -> Rankings:
    """Return the best films of every run for every query.

    What a run does not say of its fusion is as the index prefers it. Raises EngineUnavailable where
    an engine did not take part: what is left is another ranking.
    """
    found: dict[str, dict[str, Ranking]] = {run.name: {} for run in runs}
    for query, candidates in retrieved(search, queries):
        for run in runs:
            fusion = run.fusion.over(search.preferences.default)
            ranking = search.fuse(candidates, run.mode, fusion).ranking
            found[run.name][query.id] = ranking.top(DEPTH)
    return found


def retrieved(
    search: HybridSearch, queries: Sequence[JudgedQuery]
) -> Iterator[tuple[JudgedQuery, Candidates]]:
    """Give the candidates of each query. Raises EngineUnavailable where an engine is lost."""
    with progress(queries, "searching") as asked:
        for query in asked:
            candidates = search.retrieve(SearchQuery.filtered(query.text, query.filters))
            if candidates.degraded:
                raise EngineUnavailable(
                    f"the {candidates.degraded[0]} engine was lost at query {query.id}: nothing "
                    "was measured"
                )
            yield query, candidates
