"""The keyword side of a retrieval: the list of the keyword engine, and its scores of others."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple, TypeVar

import numpy as np

from hybrid.engines.bulkhead import Bulkhead, Pending
from hybrid.engines.deadline import Deadline
from hybrid.engines.phrase_films import PhraseFilms
from hybrid.engines.protocols import LexicalEngine
from hybrid.errors import EngineUnavailable
from hybrid.query import Filters
from hybrid.query_language.conditions import Conditions, Phrase
from hybrid.ranking import NO_FILMS, Ids, Ranking, Scores
from hybrid.retrieval.candidates import KeywordScores
from hybrid.retrieval.likeness import MAX_CHARACTERS, Likeness
from hybrid.retrieval.request import Request
from hybrid.storage.filter_columns import FilterColumns

PROBE, PROBE_SECONDS = "film", 0.5
"""What the breaker's probe searches for, and the time that it has."""

T = TypeVar("T")


@dataclass(frozen=True)
class KeywordList:
    """The keyword engine's list for a query.

    `attainable` is the highest BM25 that the query can attain; `complete` is whether the list has
    every film that passes the filters and contains a word of the query. `phrase_films` tells which
    films have which phrase, None if many do.
    """

    ranking: Ranking
    attainable: float
    complete: bool
    phrase_films: PhraseFilms | None


class Completion(NamedTuple):
    """BM25 of the films of `ids`, float64 (len(ids),), and which candidates have which phrase, None
    if the list tells it."""

    ids: Ids
    bm25: Scores
    phrase_films: PhraseFilms | None


@dataclass(frozen=True)
class KeywordSide:
    """Asks the keyword engine through its bulkhead. `depth` is the maximum length of its list."""

    lexical: LexicalEngine
    bulkhead: Bulkhead
    columns: FilterColumns
    depth: int

    def ask_list(
        self, request: Request, phrases: Sequence[Phrase], beside: Callable[[], object]
    ) -> Pending[KeywordList] | None:
        """Begin to search, and to look for phrases, in another thread, which then calls `beside`.

        None if the mode leaves the engine out.
        """
        if request.query.mode == "semantic" or "keyword" in request.lost:
            return None

        def search(deadline: Deadline) -> KeywordList:
            found = self._list(request, phrases, deadline)
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
        """Begin to score candidates that are not in the keyword list, and to look for phrases among
        them if many films have one.

        None if there is no list, or nothing is left to ask: a film that passes the filters and is
        not in a complete list contains no word of the query.
        """
        if keyword_list is None:
            return None
        unlisted = ids[keyword_list.ranking.ranks_of(ids) == 0]
        if keyword_list.complete and not len(request.also):
            unlisted = NO_FILMS
        if not len(unlisted) and keyword_list.phrase_films is not None:
            return None
        lexical, keywords = self.lexical, request.parsed.keywords

        def complete(deadline: Deadline) -> Completion:
            with request.watch.stage("complete"):
                bm25 = lexical.score(keywords, unlisted, deadline)
                found = None
                if keyword_list.phrase_films is None:
                    found = lexical.have_phrases(phrases, ids, deadline)
                return Completion(unlisted, bm25, found)

        return self._ask(complete, request.deadline)

    def telling(
        self, likeness: Likeness, deadline: Deadline, lost: dict[str, EngineUnavailable]
    ) -> str:
        """Return the words that tell most about what films should be like."""
        find = partial(self.lexical.telling, likeness.text[:MAX_CHARACTERS], likeness.least)
        return " ".join(answer(self.bulkhead.ask(find, deadline), lost) or ())

    def films_with(self, phrase: Phrase, deadline: Deadline) -> Ids:
        """Return all films that match the phrase, int64 ascending. Raises EngineUnavailable."""
        find = partial(self.lexical.films_with, phrase)
        return self._ask(find, deadline).result()

    def _ask(self, request: Callable[[Deadline], T], deadline: Deadline) -> Pending[T]:
        """Ask for something that takes a few milliseconds: in this thread if the engine computes in
        it, because to wake another costs as much as it gains."""
        ask = self.bulkhead.ask if self.lexical.is_remote else self.bulkhead.ask_here
        return ask(request, deadline)

    def _list(self, request: Request, phrases: Sequence[Phrase], deadline: Deadline) -> KeywordList:
        """Search with the keyword engine; as many more films as are excluded.

        Films that the catalogue lacks are left out: while a generation is being published,
        Elasticsearch also has films of the other one.
        """
        lexical, keywords = self.lexical, request.parsed.keywords
        filters, conditions = request.query.filters, request.parsed.conditions
        with request.watch.stage("keyword"):
            depth = self.depth + len(request.excluded)
            ranking, phrase_films = lexical.search_with_phrases(
                keywords, filters, depth, phrases, deadline, conditions
            )
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
                phrase_films=phrase_films,
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


def films_with_phrases(
    keyword_list: KeywordList | None, completed: Completion | None, count: int
) -> PhraseFilms:
    """Return which candidates have which of so many phrases; none if the engine is lost."""
    found = completed.phrase_films if completed else None
    if found is None and keyword_list is not None:
        found = keyword_list.phrase_films
    return found or PhraseFilms.none(count)


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
