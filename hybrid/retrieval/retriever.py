"""Retrieval: a query to candidates, with both engines' scores for every one."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple, TypeVar

import numpy as np

from hybrid.cache import Cache
from hybrid.engines.breaker import Breaker
from hybrid.engines.bulkhead import Bulkhead, Pending
from hybrid.engines.deadline import NEVER, Deadline
from hybrid.engines.protocols import Engines
from hybrid.errors import EngineUnavailable
from hybrid.monitoring.stopwatch import Stopwatch
from hybrid.query import Filters, Mode, RankedQuery, SearchQuery
from hybrid.ranking import Ids, Ranking, Scores
from hybrid.retrieval.candidates import Candidates, KeywordScores
from hybrid.retrieval.likeness import MAX_CHARACTERS, Likeness
from hybrid.retrieval.query_parser import ParsedQuery, parse_query
from hybrid.retrieval.title_index import TitleIndex, TitleMatches
from hybrid.storage.catalogue import Catalogue
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

_Key = tuple[str, Filters, Mode]


@dataclass(frozen=True)
class _KeywordList:
    """The keyword engine's list for a query.

    `attainable` is the highest BM25 that the query can attain; `complete` is whether the list has
    every film that passes the filters and contains a word of the query.
    """

    ranking: Ranking
    attainable: float
    complete: bool


class _Request(NamedTuple):
    """What is passed from step to step of one retrieval; `lost` collects the engines that fail.

    `vector` gives the query vector, None if there is nothing to find by meaning. The films of
    `excluded` are in no list.
    """

    query: RankedQuery
    parsed: ParsedQuery
    vector: Callable[[], QueryVector | None]
    also: Ids
    excluded: Ids
    watch: Stopwatch
    deadline: Deadline
    lost: dict[str, EngineUnavailable]


class Retriever:
    """Finds and scores candidates in one generation. Safe to share between threads.

    `depth` is the maximum length of each engine's list.
    """

    def __init__(self, catalogue: Catalogue, engines: Engines, depth: int) -> None:
        self.engines = engines
        self._catalogue = catalogue
        self._titles = TitleIndex.of(catalogue.titles(), catalogue.columns.years)
        self._depth = depth
        self._recent: Cache[_Key, Candidates] = Cache("candidates", MAX_CACHED_CANDIDATES)
        self.keyword = Bulkhead(MAX_KEYWORD_REQUESTS, Breaker(self._probe))

    def close(self) -> None:
        """Stop the threads."""
        self.keyword.close()

    def retrieve(
        self,
        query: SearchQuery,
        watch: Stopwatch,
        also: Ids = NO_FILMS,
        deadline: Deadline = NEVER,
    ) -> Candidates:
        """Search with the engines of the mode, in parallel, and complete the scores.

        The films of `also`, int64 (k,), become candidates too, in no list and whatever the filters.

        A hybrid query does without an engine that fails or does not answer in time, and `degraded`
        names it. Raises EngineUnavailable if the query requires both, if neither answers, or if the
        mode is that of the engine.
        """
        if len(also):
            return self._find_text(query, watch, also, deadline)
        key = query.text, query.filters, query.mode
        candidates = self._recent.get(key)
        if candidates is None:
            candidates = self._find_text(query, watch, also, deadline)
            if not candidates.degraded:
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
        parsed = ParsedQuery("", words, (), has_quotation=False, truncated=False)
        excluded = likeness.excluded
        return self._find(
            _Request(
                query,
                parsed,
                lambda: likeness.query_vector,
                NO_FILMS,
                excluded,
                watch,
                deadline,
                lost,
            )
        )

    def similar_titles(self, text: str) -> TitleMatches:
        """Return the films whose title is similar to `text`."""
        return self._titles.matches([text])

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
        self, query: SearchQuery, watch: Stopwatch, also: Ids, deadline: Deadline
    ) -> Candidates:
        parsed = parse_query(query.text)
        vector = partial(self._encode, parsed.text)
        return self._find(_Request(query, parsed, vector, also, NO_FILMS, watch, deadline, {}))

    def _encode(self, text: str) -> QueryVector:
        vector = self.engines.encoder.encode([text])[0]
        describes_plot = len(text.split()) >= PLOT_WORDS
        return QueryVector(vector, PLOT_SENTENCES if describes_plot else ONE_SENTENCE)

    def _find(self, request: _Request) -> Candidates:
        query, watch = request.query, request.watch
        pending = self._ask_keyword(request)
        titles, title_list = self._title_list(request)
        query_vector, semantic_list = self._semantic_list(request)
        others = _union(title_list.ids, semantic_list.ids, request.also)
        keyword_list = self._answer(request, pending)
        listed = keyword_list.ranking.ids if keyword_list else NO_FILMS
        ids = _union(listed, others)
        completion = self._ask_completion(request, keyword_list, ids)
        cosines = self._cosines(query_vector, semantic_list, ids, watch)
        keyword = self._keyword_scores(request, keyword_list, completion, ids)
        if "keyword" in request.lost:
            kept = np.isin(ids, others)
            listed, ids, cosines = NO_FILMS, others, cosines[kept]
            keyword = KeywordScores.missing(len(ids))
        _check_enough(query, request.lost)
        return Candidates(
            query=query,
            parsed=request.parsed,
            ids=ids,
            keyword=keyword,
            title_shares=titles.of(self._catalogue.columns.rows_of(ids)),
            in_keyword_list=np.isin(ids, _union(listed, title_list.ids)),
            cosines=cosines,
            semantic_list=semantic_list,
            query_vector=query_vector,
            person=self._person(request),
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

    def _keyword_list(self, request: _Request, deadline: Deadline) -> _KeywordList:
        """Search with the keyword engine; as many more films as are excluded.

        Films that the catalogue lacks are left out: while a generation is being published,
        Elasticsearch also has films of the other one.
        """
        lexical, keywords = self.engines.lexical, request.parsed.keywords
        with request.watch.stage("keyword"):
            depth = self._depth + len(request.excluded)
            ranking = lexical.search(keywords, request.query.filters, depth, deadline)
            known = self._catalogue.columns.rows_of(ranking.ids) >= 0
            kept = Ranking(ranking.ids[known], ranking.scores[known]).without(request.excluded)
            return _KeywordList(
                kept.top(self._depth),
                attainable=lexical.attainable(keywords, deadline),
                complete=len(ranking) < depth and len(kept) <= self._depth,
            )

    def _title_list(self, request: _Request) -> tuple[TitleMatches, Ranking]:
        """Return the films whose title is similar to the query, and the list of the best of them.

        In the list are only films that pass the filters.
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
            return titles, Ranking.sorted(columns.ids[rows], shares, self._depth)

    def _semantic_list(self, request: _Request) -> tuple[QueryVector | None, Ranking]:
        """Return the query vector and the list; without the engine None and an empty one."""
        if request.query.mode != "keyword":
            try:
                return self._search_by_meaning(request)
            except EngineUnavailable as error:
                request.lost["semantic"] = error
            except Exception:  # whatever ONNX Runtime and FAISS raise
                logging.getLogger(__name__).exception("the semantic engine failed")
                problem = "the semantic engine failed: the log of the service says why"
                request.lost["semantic"] = EngineUnavailable(problem)
        return None, Ranking.empty()

    def _search_by_meaning(self, request: _Request) -> tuple[QueryVector | None, Ranking]:
        _check_time(request.deadline)
        with request.watch.stage("encode"):
            query_vector = request.vector()
        if query_vector is None:
            return None, Ranking.empty()
        _check_time(request.deadline)
        with request.watch.stage("semantic"):
            depth = self._depth + len(request.excluded)
            found = self.engines.semantic.search(query_vector, request.query.filters, depth)
            return query_vector, found.without(request.excluded).top(self._depth)

    def _answer(self, request: _Request, pending: Pending[T] | None) -> T | None:
        """Return what the keyword engine answers, None if it was not asked or is lost."""
        try:
            return pending.result() if pending else None
        except EngineUnavailable as error:
            request.lost["keyword"] = error
            return None

    def _ask_completion(
        self, request: _Request, keyword_list: _KeywordList | None, ids: Ids
    ) -> Pending[Scores] | None:
        """Begin to score the candidates that are not in the keyword list.

        None if none of them contains a word of the query: a film that passes the filters and is
        not in a complete list.
        """
        if keyword_list is None or (keyword_list.complete and not len(request.also)):
            return None
        unlisted = keyword_list.ranking.ranks_of(ids) == 0
        score = partial(self.engines.lexical.score, request.parsed.keywords, ids[unlisted])
        return self.keyword.ask(score, request.deadline)

    def _keyword_scores(
        self,
        request: _Request,
        keyword_list: _KeywordList | None,
        completion: Pending[Scores] | None,
        ids: Ids,
    ) -> KeywordScores:
        """Return the keyword scores of all candidates; missing if the engine is lost."""
        if keyword_list is None:
            return KeywordScores.missing(len(ids))
        with request.watch.stage("complete"):
            ranks = keyword_list.ranking.ranks_of(ids)
            bm25 = np.zeros(len(ids), np.float64)
            bm25[ranks > 0] = keyword_list.ranking.scores[ranks[ranks > 0] - 1]
            scores = self._answer(request, completion)
            if scores is not None:
                bm25[ranks == 0] = scores
            attainable = keyword_list.attainable
            shares = bm25 / attainable if attainable else bm25
            return KeywordScores(bm25, shares, any_match=attainable > 0)

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
        if request.query.mode != "hybrid":
            return None
        return self._catalogue.person_in(request.parsed.text)


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


def _union(*lists: Ids) -> Ids:
    union: Ids = np.unique(np.concatenate(lists))
    return union
