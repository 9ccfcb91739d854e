"""The rankings of judged queries by several runs."""

from collections.abc import Iterator, Mapping, Sequence

from hybrid.errors import EngineUnavailable
from hybrid.evaluation.judgements import JudgedQuery
from hybrid.query import SearchQuery, Understand
from hybrid.ranking import Ranking
from hybrid.retrieval.candidates import Candidates
from hybrid.schemas.runs import Run
from hybrid.search import HybridSearch
from hybrid.terminal.progress import progress

DEPTH = 100
"""Films of each ranking that are measured: recall@100 needs no more."""

Rankings = Mapping[str, Mapping[str, Ranking]]
"""By the name of the run, then by the id of the query."""


def rank_queries(
    search: HybridSearch, queries: Sequence[JudgedQuery], runs: Sequence[Run]
) -> Rankings:
    """Return the best films for every query by every run.

    A run without fusion or alpha has those of the search's preferences. Raises EngineUnavailable if
    an engine does not answer: the rankings would be others.
    """
    rankings: dict[str, dict[str, Ranking]] = {run.name: {} for run in runs}
    for understand in dict.fromkeys(run.understand for run in runs):
        alike = [run for run in runs if run.understand == understand]
        for query, candidates in retrieve_queries(search, queries, understand):
            for run in alike:
                fusion = run.fusion.over(search.preferences.default)
                ranking = search.fuse(candidates, run.mode, fusion).ranking
                rankings[run.name][query.id] = ranking.top(DEPTH)
    return rankings


def retrieve_queries(
    search: HybridSearch, queries: Sequence[JudgedQuery], understand: Understand = "prefer"
) -> Iterator[tuple[JudgedQuery, Candidates]]:
    """Yield each query with its candidates. Raises EngineUnavailable if an engine is lost."""
    with progress(queries, "searching") as bar:
        for query in bar:
            asked = SearchQuery.filtered(query.text, query.filters)
            candidates = search.retrieve(asked.model_copy(update={"understand": understand}))
            if candidates.degraded:
                raise EngineUnavailable(
                    f"the {candidates.degraded[0]} engine did not answer query {query.id}: nothing "
                    "was measured"
                )
            yield query, candidates
