"""The keyword side of a retrieval: the list of the keyword engine, and its scores of others."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from hybrid.engines.bulkhead import Bulkhead, Pending
from hybrid.engines.deadline import Deadline
from hybrid.engines.protocols import LexicalEngine
from hybrid.errors import EngineUnavailable
from hybrid.query import Filters
from hybrid.query_language.conditions import Conditions, Phrase
from hybrid.ranking import Ids, Ranking, Scores
from hybrid.retrieval.candidates import KeywordScores
from hybrid.retrieval.likeness import MAX_CHARACTERS, Likeness
from hybrid.retrieval.request import Request
from hybrid.storage.filter_columns import FilterColumns

PROBE, PROBE_SECONDS = "film", 0.5
"""What the breaker's probe searches for, and the time that it has."""

NO_FILMS: Ids = np.empty(0, np.int64)

T = TypeVar("T")


@dataclass(frozen=True)
class KeywordList:
    """The keyword engine's list for a query.

    `attainable` is the highest BM25 that the query can attain; `complete` is whether the list has
    every film that passes the filters and contains a word of the query.
    """

    ranking: Ranking
    attainable: float
    complete: bool


class Completion(NamedTuple):
    """BM25 of the films of `ids`, float64 (len(ids),), and which candidate has which phrase."""

    ids: Ids
    bm25: Scores
    have_phrases: NDArray[np.bool_]


@dataclass(frozen=True)
class KeywordSide:
    """Asks the keyword engine through its bulkhead. `depth` is the maximum length of its list."""

    lexical: LexicalEngine
    bulkhead: Bulkhead
    columns: FilterColumns
    depth: int

    def ask_list(
        self, request: Request, beside: Callable[[], object]
    ) -> Pending[KeywordList] | None:
        """Begin to search in another thread, which then calls `beside`.

        None if the mode leaves the engine out.
        """
        if request.query.mode == "semantic" or "keyword" in request.lost:
            return None

        def search(deadline: Deadline) -> KeywordList:
            found = self._list(request, deadline)
            beside()
            return found

        return self.bulkhead.ask(search, request.deadline)

    def ask_completion(
        self,
        request: Request,
        keyword_list: KeywordList | None,
        ids: Ids,
        phrases: Sequence[Phrase],
    ) -> Pending[Completion] | None:
        """Begin to score candidates that are not in the keyword list, and to look for phrases.

        None if there are no phrases, and no other candidate contains a word of the query: a film
        that passes the filters and is not in a complete list.
        """
        if keyword_list is None:
            return None
        unlisted = ids[keyword_list.ranking.ranks_of(ids) == 0]
        if keyword_list.complete and not len(request.also):
            if not phrases:
                return None
            unlisted = NO_FILMS
        keywords = request.parsed.keywords

        def complete(deadline: Deadline) -> Completion:
            with request.watch.stage("complete"):
                bm25 = self.lexical.score(keywords, unlisted, deadline)
                return Completion(unlisted, bm25, self.lexical.have_phrases(phrases, ids, deadline))

        return self.bulkhead.ask(complete, request.deadline)

    def telling(
        self, likeness: Likeness, deadline: Deadline, lost: dict[str, EngineUnavailable]
    ) -> str:
        """Return the words that tell most about what films should be like."""
        find = partial(self.lexical.telling, likeness.text[:MAX_CHARACTERS], likeness.least)
        return " ".join(answer(self.bulkhead.ask(find, deadline), lost) or ())

    def films_with(self, phrase: Phrase, deadline: Deadline) -> Ids:
        """Return all films that match the phrase, int64 ascending. Raises EngineUnavailable."""
        find = partial(self.lexical.films_with, phrase)
        return self.bulkhead.ask(find, deadline).result()

    def _list(self, request: Request, deadline: Deadline) -> KeywordList:
        """Search with the keyword engine; as many more films as are excluded.

        Films that the catalogue lacks are left out: while a generation is being published,
        Elasticsearch also has films of the other one.
        """
        lexical, keywords = self.lexical, request.parsed.keywords
        filters, conditions = request.query.filters, request.parsed.conditions
        with request.watch.stage("keyword"):
            depth = self.depth + len(request.excluded)
            ranking = lexical.search(keywords, filters, depth, deadline, conditions)
            preferred = request.years_and_genres
            if preferred and len(ranking) == depth:
                limits = Conditions((*conditions.required, *preferred), conditions.excluded)
                more = lexical.search(keywords, filters, depth, deadline, limits)
                ranking = ranking.united(more)
            known = self.columns.rows_of(ranking.ids) >= 0
            kept = Ranking(ranking.ids[known], ranking.scores[known]).without(request.excluded)
            return KeywordList(
                kept.top(2 * self.depth if preferred else self.depth),
                attainable=lexical.attainable(keywords, deadline),
                complete=len(ranking) < depth and len(kept) <= self.depth,
            )


def probe(lexical: LexicalEngine, depth: int) -> None:
    """Search like a query. Raises EngineUnavailable."""
    lexical.search(PROBE, Filters(), depth, Deadline.after(PROBE_SECONDS))


def answer(pending: Pending[T] | None, lost: dict[str, EngineUnavailable]) -> T | None:
    """Return what the keyword engine answers, None if it was not asked or is lost."""
    try:
        return pending.result() if pending else None
    except EngineUnavailable as error:
        lost["keyword"] = error
        return None


def keyword_scores(
    keyword_list: KeywordList | None, completed: Completion | None, ids: Ids
) -> KeywordScores:
    """Return the keyword scores of all candidates; missing if the engine is lost."""
    if keyword_list is None:
        return KeywordScores.missing(len(ids))
    bm25 = np.zeros(len(ids), np.float64)
    lists = [(keyword_list.ranking.ids, keyword_list.ranking.scores)]
    if completed is not None:
        lists.append((completed.ids, completed.bm25))
    for of_list, scores in lists:
        bm25[ids.searchsorted(of_list)] = scores
    attainable = keyword_list.attainable
    shares = bm25 / attainable if attainable else bm25
    return KeywordScores(bm25, shares, np.zeros(len(ids)), any_match=attainable > 0)
