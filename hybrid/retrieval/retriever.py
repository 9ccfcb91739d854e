"""Retrieval: a query to candidates, with both engines' scores for every one."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from hybrid.cache import Cache
from hybrid.engines.breaker import Breaker
from hybrid.engines.bulkhead import Bulkhead, Pending
from hybrid.engines.deadline import NEVER, Deadline
from hybrid.engines.protocols import MAX_PHRASES, Engines
from hybrid.errors import EngineUnavailable
from hybrid.monitoring.stopwatch import Stopwatch
from hybrid.movie import keyword_text
from hybrid.query import ExplainQuery, Filters, Mode, RankedQuery, Understand
from hybrid.query_language.conditions import Condition, Conditions, Phrase
from hybrid.query_language.language import Reading, field_parts, read
from hybrid.ranking import FilmSet, Ids, Ranking, Scores, marked, union
from hybrid.retrieval.adjacency import adjacency, neighbours
from hybrid.retrieval.candidates import Candidates, KeywordScores
from hybrid.retrieval.catalogue_knowledge import CatalogueKnowledge
from hybrid.retrieval.film_sets import FilmSets
from hybrid.retrieval.known_films import Votes
from hybrid.retrieval.likeness import MAX_CHARACTERS, Likeness, mean_vector
from hybrid.retrieval.query_parser import ParsedQuery, parse_query
from hybrid.retrieval.request_vectors import request_vectors
from hybrid.retrieval.title_index import TitleMatches
from hybrid.retrieval.titles import Titles
from hybrid.storage.catalogue import Catalogue
from hybrid.understanding.mentions import mentions
from hybrid.vectors import QueryVector

MAX_KEYWORD_REQUESTS = 16
"""Maximum number of concurrent keyword requests; a search that finds none free goes on without."""

PROBE, PROBE_SECONDS = "film", 0.5
"""What the breaker's probe searches for, and the time that it has."""

PLOT_WORDS = 7
"""A query of at least this many words describes a plot, which spans several sentences."""

ONE_SENTENCE, PLOT_SENTENCES = (1.0,), (0.6, 0.2, 0.2)
"""Weights of a film's best sentences; docs/ranking.md gives their measured gain."""

MAX_CACHED_CANDIDATES = 256
"""Those of a query take some 30 kB."""

NO_FILMS: Ids = np.empty(0, np.int64)


T = TypeVar("T")

SEARCHED_WITHOUT_WORDS = "film"
"""What is searched by meaning if a query has only conditions."""

CHECKED_BY_TEXT = 1000
"""Films of each list that are read if the keyword engine cannot say which match."""

SHARE_TO_CHECK = 0.5
"""Share of the time left in which they are checked."""

SHARE_TO_UNDERSTAND = 0.2
"""Share of the time left in which the keyword engine may tell whether a word is a family name."""

_Key = tuple[str, Filters, tuple[tuple[str, ...], ...], Mode, Understand]


@dataclass(frozen=True)
class _KeywordList:
    """The keyword engine's list for a query.

    `attainable` is the highest BM25 that the query can attain; `complete` is whether the list has
    every film that passes the filters and contains a word of the query.
    """

    ranking: Ranking
    attainable: float
    complete: bool


class _Completion(NamedTuple):
    """BM25 of the films of `ids`, float64 (len(ids),), and which candidate has which phrase."""

    ids: Ids
    bm25: Scores
    have_phrases: NDArray[np.bool_]


class _Request(NamedTuple):
    """What is passed from step to step of one retrieval; `lost` collects the engines that fail.

    `vector` gives the query vector, None if there is nothing to find by meaning. The films of
    `excluded` are in no list. `among` are the films that match the conditions, None if there are
    none.
    """

    query: RankedQuery
    parsed: ParsedQuery
    vector: Callable[[], QueryVector | None]
    also: Ids
    excluded: Ids
    among: FilmSet | None
    watch: Stopwatch
    deadline: Deadline
    lost: dict[str, EngineUnavailable]


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
        self.knowledge = CatalogueKnowledge(catalogue, self._titles, self._films_with)
        self._recent: Cache[_Key, Candidates] = Cache("candidates", MAX_CACHED_CANDIDATES)
        self.keyword = Bulkhead(MAX_KEYWORD_REQUESTS, Breaker(self._probe))

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
        words = "" if query.mode == "semantic" else self._telling(likeness, deadline, lost)
        parsed = ParsedQuery(read(""), (), "", words, (), truncated=False)
        excluded = likeness.excluded
        return self._find(
            _Request(
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

    def _telling(
        self, likeness: Likeness, deadline: Deadline, lost: dict[str, EngineUnavailable]
    ) -> str:
        text = likeness.text[:MAX_CHARACTERS]
        try:
            ask = partial(self.engines.lexical.telling, text, likeness.least)
            return " ".join(self.keyword.ask(ask, deadline).result())
        except EngineUnavailable as error:
            lost["keyword"] = error
            return ""

    def _find_text(
        self, query: ExplainQuery, watch: Stopwatch, also: Ids, deadline: Deadline
    ) -> Candidates:
        with watch.stage("understand"):
            parsed = self._parse(query, deadline)
        vector = partial(self._encode, parsed.text or SEARCHED_WITHOUT_WORDS)
        request = _Request(query, parsed, vector, also, NO_FILMS, None, watch, deadline, {})
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

    def _films_with(self, phrase: Phrase, deadline: Deadline) -> Ids:
        return self.keyword.ask(partial(self.engines.lexical.films_with, phrase), deadline).result()

    def likeness_of(self, film: int) -> Likeness:
        """Return what films like this one should be like; there must be such a film."""
        return Likeness(
            keyword_text(self._catalogue.films([film])[film].movie),
            2,  # a word of this film alone finds no other
            mean_vector(self.engines.semantic.vectors_of(film)),
            np.array(self._same(film), np.int64),
        )

    def _find_liked(self, request: _Request, likeness: Likeness) -> Candidates:
        """Return the films that are like one, and about what else the query says."""
        parsed, words = request.parsed, ""
        if request.query.mode != "semantic":
            words = self._telling(likeness, request.deadline, request.lost)
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

    def _encode(self, text: str) -> QueryVector:
        vector = request_vectors(self.engines.encoder, [text])[0]
        describes_plot = len(text.split()) >= PLOT_WORDS
        return QueryVector(vector, PLOT_SENTENCES if describes_plot else ONE_SENTENCE)

    def _find(self, request: _Request, pairs: tuple[Phrase, ...] = ()) -> Candidates:
        query, watch = request.query, request.watch
        pending = self._ask_keyword(request)
        request = request._replace(among=self._film_set(request))
        phrases = _person_phrases(request.parsed)
        titles, title_list = self._title_list(request, self._depth)
        query_vector, semantic_list = self._semantic_list(request, self._depth)
        others = union(title_list.ids, semantic_list.ids, request.also)
        keyword_list = self._answer(request, pending)
        listed = keyword_list.ranking.ids if keyword_list else NO_FILMS
        ids = union(listed, others)
        asked = (*phrases, *pairs)[:MAX_PHRASES]
        completion = self._ask_completion(request, keyword_list, ids, asked)
        cosines = self._cosines(query_vector, semantic_list, ids, watch)
        completed = self._answer(request, completion)
        person = self._person(request)
        keyword = _keyword_scores(keyword_list, completed, ids)
        if "keyword" in request.lost:
            kept = marked(ids, others)
            listed, ids, cosines = NO_FILMS, others, cosines[kept]
            keyword = KeywordScores.missing(len(ids))
        in_keyword_list = marked(ids, listed, title_list.ids)
        have = np.zeros((len(ids), len(asked)), np.bool_)
        if completed is not None:
            have = completed.have_phrases
            first = len(phrases)
            found = adjacency(asked[first:], have[:, first:], in_keyword_list, person)
            keyword = keyword.raised(found)
        _check_enough(query, request.lost)
        rows = self._catalogue.columns.rows_of(ids)
        return Candidates(
            query=query,
            parsed=request.parsed,
            ids=ids,
            keyword=keyword,
            title_shares=titles.of(rows),
            in_keyword_list=in_keyword_list,
            cosines=cosines,
            known=self._votes.shares(rows),
            meets=self._meets(request.parsed, ids, have),
            semantic_list=semantic_list,
            query_vector=query_vector,
            person=person,
            degraded=tuple(request.lost),
        )

    def _probe(self) -> None:
        """Search like a query. Raises EngineUnavailable."""
        deadline = Deadline.after(PROBE_SECONDS)
        self.engines.lexical.search(PROBE, Filters(), self._depth, deadline)

    def _ask_keyword(self, request: _Request) -> Pending[_KeywordList] | None:
        """Begin to search with the keyword engine; None if the mode leaves it out."""
        if request.query.mode == "semantic" or "keyword" in request.lost:
            return None
        return self.keyword.ask(partial(self._keyword_list, request), request.deadline)

    def _film_set(self, request: _Request) -> FilmSet | None:
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
                return self._checked_films(request)

    def _checked_films(self, request: _Request) -> FilmSet:
        deadline = request.deadline.part(SHARE_TO_CHECK)
        _, by_title = self._title_list(request, CHECKED_BY_TEXT)
        _, by_meaning = self._semantic_list(request, CHECKED_BY_TEXT)
        ids = np.array(list(dict.fromkeys([*by_title.ids.tolist(), *by_meaning.ids.tolist()])), int)
        return self._film_sets.checked(request.parsed.conditions, ids, deadline)

    def _keyword_list(self, request: _Request, deadline: Deadline) -> _KeywordList:
        """Search with the keyword engine; as many more films as are excluded.

        Films that the catalogue lacks are left out: while a generation is being published,
        Elasticsearch also has films of the other one.
        """
        lexical, keywords = self.engines.lexical, request.parsed.keywords
        filters, conditions = request.query.filters, request.parsed.conditions
        with request.watch.stage("keyword"):
            depth = self._depth + len(request.excluded)
            ranking = lexical.search(keywords, filters, depth, deadline, conditions)
            preferred = _preferred(request.parsed)
            if preferred and len(ranking) == depth:
                limits = Conditions((*conditions.required, *preferred), conditions.excluded)
                more = lexical.search(keywords, filters, depth, deadline, limits)
                ranking = ranking.united(more)
            known = self._catalogue.columns.rows_of(ranking.ids) >= 0
            kept = Ranking(ranking.ids[known], ranking.scores[known]).without(request.excluded)
            return _KeywordList(
                kept.top(2 * self._depth if preferred else self._depth),
                attainable=lexical.attainable(keywords, deadline),
                complete=len(ranking) < depth and len(kept) <= self._depth,
            )

    def _title_list(self, request: _Request, depth: int) -> tuple[TitleMatches, Ranking]:
        """Return the films whose title is similar to the query, and the list of the best of them.

        In the list are only films that pass the filters and match the conditions.
        """
        columns, query = self._catalogue.columns, request.query
        if query.mode == "semantic":
            return TitleMatches.none(), Ranking.empty()
        with request.watch.stage("titles"):
            titles = self._titles.matches(request.parsed.possible_titles)
            rows, shares = titles.rows, titles.shares
            if query.filters:
                allowed = columns.allowed(query.filters, rows)
                rows, shares = rows[allowed], shares[allowed]
            if request.among is not None:
                allowed = np.isin(columns.ids[rows], request.among.ids)
                rows, shares = rows[allowed], shares[allowed]
            return titles, Ranking.sorted(columns.ids[rows], shares, depth)

    def _semantic_list(self, request: _Request, depth: int) -> tuple[QueryVector | None, Ranking]:
        """Return the query vector and the list; without the engine None and an empty one."""
        if request.query.mode != "keyword":
            try:
                return self._search_by_meaning(request, depth)
            except EngineUnavailable as error:
                request.lost["semantic"] = error
            except Exception:  # whatever ONNX Runtime and FAISS raise
                logging.getLogger(__name__).exception("the semantic engine failed")
                problem = "the semantic engine failed: the log of the service says why"
                request.lost["semantic"] = EngineUnavailable(problem)
        return None, Ranking.empty()

    def _search_by_meaning(
        self, request: _Request, depth: int
    ) -> tuple[QueryVector | None, Ranking]:
        _check_time(request.deadline)
        with request.watch.stage("encode"):
            query_vector = request.vector()
        if query_vector is None:
            return None, Ranking.empty()
        _check_time(request.deadline)
        with request.watch.stage("semantic"):
            filters, many = request.query.filters, depth + len(request.excluded)
            search = partial(self.engines.semantic.search, query_vector, filters, many)
            found = search(request.among).without(request.excluded).top(depth)
            preferred = self._preferred_films(request)
            if preferred is not None:
                found = found.united(search(preferred).without(request.excluded).top(depth))
            return query_vector, found

    def _preferred_films(self, request: _Request) -> FilmSet | None:
        """Return the films of the years and genres that the query prefers, None if it has none."""
        preferred = _preferred(request.parsed)
        if not preferred:
            return None
        conditions = Conditions(preferred)
        # Years and genres are in memory: no engine is asked.
        films = self._film_sets.known(conditions) or self._film_sets.matching(conditions, NEVER)
        if request.among is None:
            return films
        return FilmSet(np.intersect1d(films.ids, request.among.ids, assume_unique=True))

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

    def _answer(self, request: _Request, pending: Pending[T] | None) -> T | None:
        """Return what the keyword engine answers, None if it was not asked or is lost."""
        try:
            return pending.result() if pending else None
        except EngineUnavailable as error:
            request.lost["keyword"] = error
            return None

    def _ask_completion(
        self,
        request: _Request,
        keyword_list: _KeywordList | None,
        ids: Ids,
        phrases: Sequence[Phrase],
    ) -> Pending[_Completion] | None:
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
        keywords, lexical = request.parsed.keywords, self.engines.lexical

        def complete(deadline: Deadline) -> _Completion:
            with request.watch.stage("complete"):
                bm25 = lexical.score(keywords, unlisted, deadline)
                return _Completion(unlisted, bm25, lexical.have_phrases(phrases, ids, deadline))

        return self.keyword.ask(complete, request.deadline)

    def _cosines(
        self, query_vector: QueryVector | None, semantic_list: Ranking, ids: Ids, watch: Stopwatch
    ) -> Scores:
        """Return the semantic score of each film, float64 (len(ids),)."""
        cosines = np.full(len(ids), np.nan)
        if query_vector is None:
            return cosines
        with watch.stage("complete"):
            ranks = semantic_list.ranks_of(ids)
            listed = ranks > 0
            cosines[listed] = semantic_list.scores[ranks[listed] - 1]
            cosines[~listed] = self.engines.semantic.score(query_vector, ids[~listed])
            return cosines

    def _person(self, request: _Request) -> str | None:
        if request.query.mode == "semantic":
            return None
        return self._catalogue.person_in(request.parsed.text)


def _keyword_scores(
    keyword_list: _KeywordList | None, completed: _Completion | None, ids: Ids
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


def _person_phrases(parsed: ParsedQuery) -> tuple[Phrase, ...]:
    """Return the names of the people whose films gain."""
    conditions = [one for part in parsed.preferred for one in part.conditions]
    return tuple(one for one in conditions if isinstance(one, Phrase))


def _preferred(parsed: ParsedQuery) -> tuple[Condition, ...]:
    """Return what the films of all years and genres that the query prefers meet."""
    conditions = [one for part in parsed.preferred for one in part.conditions]
    return tuple(one for one in conditions if isinstance(one, Filters))


def _check_time(deadline: Deadline) -> None:
    if not deadline.left:
        raise EngineUnavailable("the semantic engine was not asked: no time was left")


def _check_enough(query: RankedQuery, lost: Mapping[str, EngineUnavailable]) -> None:
    """Raise the error of a lost engine that the query cannot do without."""
    for engine, error in lost.items():
        if query.mode == engine or len(lost) > 1:
            raise error
        if query.require == "both":
            raise EngineUnavailable(f"{error.message} (the query requires both engines)")
