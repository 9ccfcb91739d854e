"""Retrieval: a query to candidates, with both engines' scores for every one."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hybrid.cache import Cache
from hybrid.engines.breaker import Breaker
from hybrid.engines.bulkhead import Bulkhead
from hybrid.engines.deadline import NEVER, Deadline
from hybrid.engines.phrase_films import MAX_PHRASES
from hybrid.engines.protocols import Engines
from hybrid.errors import EngineUnavailable
from hybrid.monitoring.stopwatch import Stopwatch
from hybrid.movie import keyword_text
from hybrid.query import ExplainQuery, Filters, Mode, RankedQuery, Understand
from hybrid.query_language.conditions import Conditions, Phrase
from hybrid.query_language.language import Reading, field_parts, read
from hybrid.ranking import NO_FILMS, FilmSet, Ids, Ranking, marked, union
from hybrid.retrieval.adjacency import adjacency, neighbours
from hybrid.retrieval.candidates import Candidates
from hybrid.retrieval.catalogue_knowledge import CatalogueKnowledge
from hybrid.retrieval.film_sets import FilmSets
from hybrid.retrieval.keyword_side import (
    KeywordSide,
    answer,
    films_with_phrases,
    keyword_scores,
    probe,
)
from hybrid.retrieval.known_films import Votes
from hybrid.retrieval.likeness import Likeness, mean_vector
from hybrid.retrieval.query_parser import ParsedQuery, parse_query
from hybrid.retrieval.request import Once, Request
from hybrid.retrieval.semantic_side import SemanticSide
from hybrid.retrieval.title_index import TitleMatches
from hybrid.retrieval.titles import Titles
from hybrid.storage.catalogue import Catalogue
from hybrid.understanding.mentions import mentions
from hybrid.vectors import QueryVector

MAX_KEYWORD_REQUESTS = 16
"""Maximum number of concurrent keyword requests; a search that finds none free goes on without."""

MAX_CACHED_CANDIDATES = 256
"""Those of a query take some 30 kB."""

SEARCHED_WITHOUT_WORDS = "film"
"""What is searched by meaning if a query has only conditions."""

CHECKED_BY_TEXT = 1000
"""Films of each list that are read if the keyword engine cannot say which match."""

SHARE_TO_CHECK = 0.5
"""Share of the time left in which they are checked."""

SHARE_TO_UNDERSTAND = 0.2
"""Share of the time left in which the keyword engine may tell whether a word is a family name."""

_Key = tuple[str, Filters, tuple[tuple[str, ...], ...], Mode, Understand]


class _Named(NamedTuple):
    """The films whose title is similar to the query, and a full name of a person in it."""

    titles: TitleMatches
    person: str | None


class Retriever:
    """Finds and scores candidates in one generation. Safe to share between threads.

    `depth` is the maximum length of each engine's list, `same` gives the ids of a film and of its
    duplicates.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        engines: Engines,
        depth: int,
        same: Callable[[int], Sequence[int]],
    ) -> None:
        self.engines = engines
        self._catalogue = catalogue
        self._titles = Titles.of(catalogue)
        self._votes = Votes.of(catalogue.columns)
        self._depth = depth
        self._same = same
        self._film_sets = FilmSets(catalogue, engines.lexical)
        self._recent: Cache[_Key, Candidates] = Cache("candidates", MAX_CACHED_CANDIDATES)
        self.keyword = Bulkhead(
            MAX_KEYWORD_REQUESTS, Breaker(partial(probe, engines.lexical, depth))
        )
        self.keyword_side = KeywordSide(engines.lexical, self.keyword, catalogue.columns, depth)
        self.semantic_side = SemanticSide(engines.encoder, engines.semantic, self._film_sets)
        self.knowledge = CatalogueKnowledge(catalogue, self._titles, self.keyword_side.films_with)

    def close(self) -> None:
        """Stop the threads."""
        self.keyword.close()

    def retrieve(
        self,
        query: ExplainQuery,
        watch: Stopwatch,
        also: Ids = NO_FILMS,
        deadline: Deadline = NEVER,
    ) -> Candidates:
        """Search with the engines of the mode, in parallel, and complete the scores.

        The films of `also`, int64 (k,), become candidates too, whatever the filters; those that
        neither engine finds are in no list.

        A hybrid query does without an engine that fails or does not answer in time, and `degraded`
        names it. Raises EngineUnavailable if the query requires both, if neither answers, or if the
        mode is that of the engine.
        """
        word_fields = query.phrase, query.exclude, query.title, query.person
        key = query.text, query.filters, word_fields, query.mode, query.understand
        candidates = self._recent.get(key)
        if candidates is None or (len(also) and not np.isin(also, candidates.ids).all()):
            candidates = self._find_text(query, watch, also, deadline)
            if not candidates.degraded and not len(also):
                self._recent.put(key, candidates)
        # What else the query says is about the answer, not about the candidates.
        return replace(candidates, query=query)

    def retrieve_similar(
        self,
        query: RankedQuery,
        likeness: Likeness,
        watch: Stopwatch,
        deadline: Deadline = NEVER,
    ) -> Candidates:
        """Return the films that have the telling words or the meaning of `likeness`.

        Titles are not compared: their words are among the telling ones. Raises EngineUnavailable
        like `retrieve`.
        """
        lost: dict[str, EngineUnavailable] = {}
        words = (
            "" if query.mode == "semantic" else self.keyword_side.telling(likeness, deadline, lost)
        )
        parsed = ParsedQuery(read(""), (), "", words, (), truncated=False)
        excluded = likeness.excluded
        return self._find(
            Request(
                query,
                parsed,
                lambda: likeness.query_vector,
                NO_FILMS,
                excluded,
                None,
                watch,
                deadline,
                lost,
            )
        )

    def similar_titles(self, text: str) -> TitleMatches:
        """Return the films whose title is similar to `text`."""
        return self._titles.matches([text])

    def films_matching(self, conditions: Conditions, deadline: Deadline) -> FilmSet:
        """Return all films that match the conditions.

        Raises EngineUnavailable if the keyword engine, which knows the words of films, is needed
        and does not answer.
        """
        films = self._film_sets.known(conditions)
        if films is not None:
            return films
        matching = partial(self._film_sets.matching, conditions)
        if not any(isinstance(one, Phrase) for one in (*conditions.required, *conditions.excluded)):
            return matching(deadline)
        return self.keyword.ask(matching, deadline).result()

    def _find_text(
        self, query: ExplainQuery, watch: Stopwatch, also: Ids, deadline: Deadline
    ) -> Candidates:
        with watch.stage("understand"):
            parsed = self._parse(query, deadline)
        vector = partial(self.semantic_side.query_vector, parsed.text or SEARCHED_WITHOUT_WORDS)
        request = Request(query, parsed, vector, also, NO_FILMS, None, watch, deadline, {})
        if parsed.liked is not None:
            return self._find_liked(request, self.likeness_of(parsed.liked))
        return self._find(request, neighbours(parsed.keywords))

    def _parse(self, query: ExplainQuery, deadline: Deadline) -> ParsedQuery:
        reading, of_fields = read(query.text), field_parts(query)
        if query.understand == "off":
            return parse_query(reading, of_fields)
        taken = [part.span for part in reading.parts if part.span]
        knowledge, soon = self.knowledge, deadline.part(SHARE_TO_UNDERSTAND)
        mentioned = mentions(query.text, taken, knowledge, soon)
        parts = mentioned.parts
        if query.understand == "filter":
            parts = tuple(replace(part, preferred=False) for part in parts)
        elif query.mode != "hybrid":  # one side alone is ranked by its own scores
            parts = tuple(part for part in parts if not part.preferred)
        reading = Reading.of(query.text, (*reading.parts, *parts))
        return parse_query(reading, of_fields, mentioned)

    def likeness_of(self, film: int) -> Likeness:
        """Return what films like this one should be like; there must be such a film."""
        return Likeness(
            keyword_text(self._catalogue.films([film])[film].movie),
            2,  # a word of this film alone finds no other
            mean_vector(self.engines.semantic.vectors_of(film)),
            np.array(self._same(film), np.int64),
        )

    def _find_liked(self, request: Request, likeness: Likeness) -> Candidates:
        """Return the films that are like one, and about what else the query says."""
        parsed, words = request.parsed, ""
        if request.query.mode != "semantic":
            words = self.keyword_side.telling(likeness, request.deadline, request.lost)
        keywords = f"{words} {parsed.keywords}".strip()

        def vector() -> QueryVector | None:
            if likeness.query_vector is None or not parsed.text:
                return likeness.query_vector
            beside = self.engines.encoder.encode([parsed.text])[0]
            return mean_vector(np.stack([likeness.query_vector.vector, beside]))

        return self._find(
            request._replace(
                parsed=replace(parsed, keywords=keywords, possible_titles=()),
                vector=vector,
                excluded=likeness.excluded,
            )
        )

    def _find(self, request: Request, pairs: tuple[Phrase, ...] = ()) -> Candidates:
        query, lost = request.query, request.lost
        # The text is compared with names by the thread that asks the keyword engine, while this one
        # encodes: what is left after that makes up the time of a search.
        named = Once(partial(self._named, request))
        phrases = (*request.people, *pairs)[:MAX_PHRASES]
        pending = self.keyword_side.ask_list(request, phrases, named)
        request = request._replace(among=self._film_set(request, named))
        query_vector, semantic_list = self.semantic_side.search(request, self._depth)
        titles, person = named()
        title_list = self._title_list(request, titles, self._depth)
        others = union(title_list.ids, semantic_list.ids, request.also)
        keyword_list = answer(pending, lost)
        listed = keyword_list.ranking.ids if keyword_list else NO_FILMS
        ids = union(listed, others)
        completion = self.keyword_side.ask_completion(request, keyword_list, ids, phrases)
        cosines, sentences = self.semantic_side.best_sentences(query_vector, ids, request.watch)
        completed = answer(completion, lost)
        if "keyword" in lost:
            keyword_list = completed = None
            kept = marked(ids, others)
            listed, ids, cosines, sentences = NO_FILMS, others, cosines[kept], sentences[kept]
        in_keyword_list = marked(ids, listed, title_list.ids)
        have = films_with_phrases(keyword_list, completed, len(phrases)).of(ids)
        first = len(request.people)
        found = adjacency(phrases[first:], have[:, first:], in_keyword_list, person)
        keyword = keyword_scores(keyword_list, completed, ids).raised(found)
        _check_enough(query, lost)
        rows = self._catalogue.columns.rows_of(ids)
        return Candidates(
            query=query,
            parsed=request.parsed,
            ids=ids,
            keyword=keyword,
            title_shares=titles.of(rows),
            in_keyword_list=in_keyword_list,
            cosines=cosines,
            sentences=sentences,
            known=self._votes.shares(rows),
            meets=self._meets(request.parsed, ids, have),
            semantic_list=semantic_list,
            query_vector=query_vector,
            person=person,
            degraded=tuple(lost),
        )

    def _film_set(self, request: Request, named: Once[_Named]) -> FilmSet | None:
        """Return the films that match the conditions of the query, None if it has none.

        If the keyword engine does not answer, the nearest films by title and by meaning are checked
        against their texts in the catalogue.
        """
        conditions = request.parsed.conditions
        if not conditions:
            return None
        films = self._film_sets.known(conditions)
        if films is not None:
            return films
        matching = partial(self._film_sets.matching, conditions)
        with request.watch.stage("conditions"):
            try:
                return self.keyword.ask(matching, request.deadline).result()
            except EngineUnavailable:
                return self._checked_films(request, named().titles)

    def _checked_films(self, request: Request, titles: TitleMatches) -> FilmSet:
        deadline = request.deadline.part(SHARE_TO_CHECK)
        by_title = self._title_list(request, titles, CHECKED_BY_TEXT)
        _, by_meaning = self.semantic_side.search(request, CHECKED_BY_TEXT)
        ids = np.array(list(dict.fromkeys([*by_title.ids.tolist(), *by_meaning.ids.tolist()])), int)
        return self._film_sets.checked(request.parsed.conditions, ids, deadline)

    def _named(self, request: Request) -> _Named:
        """Compare the text with the names that the catalogue knows; with none for meaning alone."""
        if request.query.mode == "semantic":
            return _Named(TitleMatches.none(), None)
        with request.watch.stage("titles"):
            titles = self._titles.matches(request.parsed.possible_titles)
        return _Named(titles, self._catalogue.person_in(request.parsed.text))

    def _title_list(self, request: Request, titles: TitleMatches, depth: int) -> Ranking:
        """Return the best of the films with a similar title, of those that pass the filters and
        match the conditions."""
        columns, filters = self._catalogue.columns, request.query.filters
        rows, shares = titles.rows, titles.shares
        if filters:
            allowed = columns.allowed(filters, rows)
            rows, shares = rows[allowed], shares[allowed]
        if request.among is not None:
            allowed = np.isin(columns.ids[rows], request.among.ids)
            rows, shares = rows[allowed], shares[allowed]
        return Ranking.sorted(columns.ids[rows], shares, depth)

    def _meets(self, parsed: ParsedQuery, ids: Ids, have: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Return which film meets which preferred part, bool (len(ids), parts).

        `have` bool (len(ids), n) is which film has which phrase, first those of people.
        """
        meets = np.ones((len(ids), len(parsed.preferred)), np.bool_)
        if not parsed.preferred:
            return meets
        columns, people = self._catalogue.columns, iter(have.T)
        rows = columns.rows_of(ids)
        for place, part in enumerate(parsed.preferred):
            for one in part.conditions:
                meets[:, place] &= (
                    columns.allowed(one, rows) if isinstance(one, Filters) else next(people)
                )
        return meets


def _check_enough(query: RankedQuery, lost: Mapping[str, EngineUnavailable]) -> None:
    """Raise the error of a lost engine that the query cannot do without."""
    for engine, error in lost.items():
        if query.mode == engine or len(lost) > 1:
            raise error
        if query.require == "both":
            raise EngineUnavailable(f"{error.message} (the query requires both engines)")
