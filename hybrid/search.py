"""HybridSearch: a query to a response, by retrieval, fusion and hydration."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cached_property
from typing import TypedDict

import numpy as np

from hybrid.bounds import shown
from hybrid.cache import Cache
from hybrid.cursor import Window, read_window, write_window
from hybrid.engines.deadline import NEVER, Deadline
from hybrid.engines.protocols import Engines
from hybrid.errors import EngineUnavailable, unknown_film
from hybrid.explanation.explainer import Explainer
from hybrid.explanation.highlighting import highlight
from hybrid.facets import count_facets
from hybrid.fusion.confidence import evidence_of, is_confident
from hybrid.fusion.fused_ranking import FusedRanking, rank_candidates
from hybrid.fusion.preferences import Preferences
from hybrid.hydration import FilmDetails, build_explain_hit, build_hits
from hybrid.monitoring.stopwatch import Stopwatch
from hybrid.movie import Movie
from hybrid.paging import Page, first_page, page_of, window_films, window_ranking
from hybrid.query import ExplainQuery, Fusion, Mode, RankedQuery, SearchQuery
from hybrid.query_language.language import genres_in
from hybrid.ranking import NO_FILMS, Ids
from hybrid.retrieval.candidates import Candidates
from hybrid.retrieval.duplicates import Duplicates
from hybrid.retrieval.film_orders import FilmOrders
from hybrid.retrieval.genre_warnings import unknown_genres
from hybrid.retrieval.query_parser import MAX_WORDS, ParsedQuery
from hybrid.retrieval.retriever import Retriever
from hybrid.retrieval.suggestions import Suggestions
from hybrid.retrieval.understood import understood
from hybrid.schemas.facets import Facets
from hybrid.schemas.search import Duplicate, ExplainResponse, SearchResponse, Total
from hybrid.storage.catalogue import Catalogue
from hybrid.storage.manifest import MatchThreshold
from hybrid.storage.rows import Mask

MAX_CACHED_SPELLINGS = 4096
"""Names of people as they are shown; each takes some 100 bytes."""


class AnswerFields(TypedDict):
    """The fields of `Answer`, which every response has."""

    degraded: tuple[str, ...]
    warnings: tuple[str, ...]
    timings_ms: dict[str, float]
    generation: str


class HybridSearch:
    """Answers queries from one generation. Safe to share between threads.

    `generation` is its name, `depth` the maximum length of each engine's list, `seconds` the time
    in which a query is answered, whatever Elasticsearch does. `match` are the thresholds of what
    really matches, none unless they are set. `source_format` is that of the source of the films.
    """

    def __init__(
        self,
        generation: str,
        catalogue: Catalogue,
        engines: Engines,
        depth: int,
        preferences: Preferences,
        seconds: float = 1.0,
    ) -> None:
        self.generation = generation
        self.catalogue = catalogue
        self.engines = engines
        self.preferences = preferences
        self.seconds = seconds
        self.match: Sequence[MatchThreshold] = ()
        self.source_format = ""
        self.retriever = Retriever(catalogue, engines, depth, self._same)
        self.spellings: Cache[str, str] = Cache("spellings", MAX_CACHED_SPELLINGS)

    @cached_property
    def duplicates(self) -> Duplicates:
        """The films that the catalogue has twice."""
        return Duplicates.read(self.catalogue)

    def _same(self, film: int) -> Sequence[int]:
        """Return the ids of a film and of its duplicates."""
        return self.duplicates.of_film(film)

    @cached_property
    def orders(self) -> FilmOrders:
        """The orders in which films are listed."""
        return FilmOrders(self.catalogue)

    @cached_property
    def suggestions(self) -> Suggestions:
        """What is suggested while a query is typed."""
        return Suggestions.of(self.catalogue)

    def search(self, query: SearchQuery, deadline: Deadline | None = None) -> SearchResponse:
        """Return the best films for `query` by the deadline, `seconds` from now unless given.

        A hybrid query is answered without an engine that fails or does not answer in time, and
        `degraded` names it. Raises EngineUnavailable if the query requires both, if neither
        answers, or if the mode is that of the engine; InvalidInput for a cursor that is damaged or
        belongs to another query.
        """
        _ = self.duplicates  # found once, and before the time starts
        deadline = deadline or Deadline.after(self.seconds)
        query = query.resolved(self.preferences.default)
        window = read_window(query)
        watch = Stopwatch()
        with watch.stage("total"):
            also = window_films(window, self.catalogue)
            candidates = self.retrieve(query, watch, deadline, also)
            with watch.stage("fuse"):
                fused = self.fuse(candidates, query.mode, query.fusion_spec)
                fused, page = self._page(fused, query, window)
            with watch.stage("hydrate"):
                details = self.details(candidates, page.ids, deadline)
                hits = build_hits(fused, page.ids, details)
            facets = self.facets(query, candidates.parsed, watch, deadline, fused)
        return SearchResponse(
            query=query,
            understood=understood(candidates.parsed),
            hits=hits,
            total=Total(value=len(fused.ranking)),
            alpha=fused.alpha.value,
            alpha_reason=fused.alpha.reason,
            confident=self._is_confident(query, fused),
            next_cursor=write_window(page.rest, query) if page.rest else None,
            facets=facets,
            **self.answer_fields(candidates, details, watch, page.warnings),
        )

    def _page(
        self, fused: FusedRanking, query: SearchQuery, window: Window | None
    ) -> tuple[FusedRanking, Page]:
        """Return the ranking in the order of the window, if there is one, and the page of it."""
        if window is None:
            ranking = self.once(fused).ranking
            ranking = self.orders.sorted(ranking, query.sort, query.direction)
            return replace(fused, ranking=ranking), first_page(ranking, query.limit)
        page = page_of(window, fused.candidates, self.catalogue, query.limit)
        return replace(fused, ranking=window_ranking(window, fused)), page

    def _is_confident(self, query: SearchQuery, fused: FusedRanking) -> bool | None:
        if query.mode != "hybrid" or fused.candidates.degraded:
            return None
        parsed = fused.candidates.parsed
        if parsed.liked is not None:
            return None
        if parsed.only_mentions and fused.candidates.meets.all(axis=1).any():
            return True
        return is_confident(evidence_of(fused), query.text, self.match)

    def facets(
        self,
        query: SearchQuery,
        parsed: ParsedQuery,
        watch: Stopwatch,
        deadline: Deadline,
        fused: FusedRanking | None = None,
    ) -> Facets | None:
        """Return how many films have each value of the facets of `query`, None if it has none.

        `fused` is its list of films, if it has a text.
        """
        if not query.facets:
            return None
        columns = self.catalogue.columns
        with watch.stage("facets"):
            all_films = count_facets(query, columns, lambda q: self.allowed(q, parsed, deadline))
            listed = fused and count_facets(
                query, columns, lambda q: self._listed(q, query, fused, deadline)
            )
        return Facets(filters=all_films, candidates=listed)

    def allowed(self, query: SearchQuery, parsed: ParsedQuery, deadline: Deadline) -> Mask:
        """Return which films the filters allow and the conditions are met by, bool (films,).

        Raises EngineUnavailable if the keyword engine, which knows the words of films, is needed
        and does not answer.
        """
        columns = self.catalogue.columns
        mask = columns.allowed(query.filters)
        if parsed.conditions:
            films = self.retriever.films_matching(parsed.conditions, deadline)
            mask &= np.isin(columns.ids, films.ids, assume_unique=True)
        return mask

    def _listed(
        self, query: SearchQuery, asked: SearchQuery, fused: FusedRanking, deadline: Deadline
    ) -> Mask:
        """Return which films the list of a query has, bool (films,), given that of `asked`.

        Raises EngineUnavailable if other engines answer than did before.
        """
        if query.filters != asked.filters:
            found, before = self.retrieve(query, deadline=deadline), fused.candidates.degraded
            if found.degraded != before:
                raise EngineUnavailable("an engine does not answer any longer")
            fused = self.once(self.fuse(found, query.mode, query.fusion_spec))
        columns = self.catalogue.columns
        return np.isin(columns.ids, fused.ranking.ids, assume_unique=True)

    def retrieve(
        self,
        query: ExplainQuery,
        watch: Stopwatch | None = None,
        deadline: Deadline = NEVER,
        also: Ids = NO_FILMS,
    ) -> Candidates:
        """Return the candidates of `query`, which can be fused in several ways.

        The films of `also`, int64 (k,), are among them. Raises EngineUnavailable like `search`.
        """
        return self.retriever.retrieve(query, watch or Stopwatch(), also, deadline)

    def fuse(self, candidates: Candidates, mode: Mode, fusion: Fusion) -> FusedRanking:
        """Return the ranking of the candidates in a list of the mode, from best to worst."""
        preferred = self.preferences
        return rank_candidates(candidates, mode, fusion, preferred.text_weight, preferred.prior)

    def once(self, fused: FusedRanking, preferred: int | None = None) -> FusedRanking:
        """Return the ranking with each film once, whatever the source has twice.

        The film `preferred` stands for those that are the same.
        """
        return replace(fused, ranking=self.duplicates.once(fused.ranking, preferred))

    def explain(
        self, query: ExplainQuery, film: int, deadline: Deadline | None = None
    ) -> ExplainResponse:
        """Return why the film of this id ranks where it does for `query`, or why it does not.

        In full unless the query asks for a summary. Raises NotFound if there is no such film, and
        EngineUnavailable like `search`.
        """
        deadline = deadline or Deadline.after(self.seconds)
        self.movie(film)
        level = "summary" if query.explain == "summary" else "full"
        query = query.resolved(self.preferences.default).model_copy(update={"explain": level})
        watch = Stopwatch()
        with watch.stage("total"):
            also = np.array([film], np.int64)
            candidates = self.retrieve(query, watch, deadline, also)
            with watch.stage("fuse"):
                fused = self.once(self.fuse(candidates, query.mode, query.fusion_spec), film)
            with watch.stage("hydrate"):
                details = self.details(candidates, [film], deadline)
                hit = build_explain_hit(fused, film, details)
        return ExplainResponse(
            query=query,
            understood=understood(candidates.parsed),
            hit=hit,
            alpha=fused.alpha.value,
            alpha_reason=fused.alpha.reason,
            **self.answer_fields(candidates, details, watch),
        )

    def details(
        self, candidates: Candidates, films: Sequence[int], deadline: Deadline
    ) -> FilmDetails:
        """Return what is shown of candidates, by their ids, in any ranking of them.

        The keyword engine explains by the deadline or not at all.
        """
        query = candidates.query
        found = self.catalogue.films(films)
        movies = {film: shown(found[film].movie, len(films)) for film in films}
        highlights = evidence = None
        if query.highlight:
            words = candidates.parsed.keywords
            highlights = {film: highlight(movie, words) for film, movie in movies.items()}
        if query.explain != "none":
            keyword, text_weight = self.retriever.keyword, self.preferences.text_weight
            explainer = Explainer(self.engines, keyword, text_weight)
            evidence = explainer.evidence(candidates, found, deadline)
        numbers = candidates.sentences[candidates.rows_of(np.array(films, np.int64))]
        best_sentences = dict(zip(films, numbers.tolist(), strict=True))
        twins = self.twins(films)
        return FilmDetails(found, movies, highlights, best_sentences, evidence, twins)

    def twins(self, films: Sequence[int]) -> dict[int, tuple[Duplicate, ...]]:
        """Return by id the other films that are the same as each of `films`."""
        others = {
            film: [twin for twin in self.duplicates.of_film(film) if twin != film] for film in films
        }
        found = self.catalogue.films(twin for twins in others.values() for twin in twins)
        return {
            film: tuple(
                Duplicate(id=twin, title=found[twin].movie.title, year=found[twin].movie.year)
                for twin in twins
            )
            for film, twins in others.items()
        }

    def warnings(self, candidates: Candidates, details: FilmDetails) -> tuple[str, ...]:
        """Return warnings about parts of the query that are probably mistakes, and about films of
        which not all is shown."""
        query = candidates.query
        warnings = list(self.unknown_names(query, candidates.parsed))
        if details.cut:
            films = "1 film is" if details.cut == 1 else f"{details.cut} films are"
            warnings.append(f"{films} too large to be shown whole: GET /movies/ID shows all")
        if candidates.parsed.truncated:
            warnings.append(f"only the first {MAX_WORDS} words of the query count")
        keyword_answered = query.mode != "semantic" and "keyword" not in candidates.degraded
        any_match = candidates.keyword.any_match or candidates.in_keyword_list.any()
        if candidates.parsed.parts and not candidates.parsed.keywords:
            warnings.append("the query only limits the films: add what they are about")
        elif keyword_answered and not any_match:
            warnings.append("no film contains a word of the query, apart from stop words")
        return tuple(warnings)

    def unknown_names(self, query: RankedQuery, parsed: ParsedQuery) -> tuple[str, ...]:
        """Return warnings about names in the query that no film has."""
        genres = [*query.genre, *genres_in(parsed.parts)]
        return tuple(unknown_genres(genres, self.catalogue.columns.genres))

    def answer_fields(
        self,
        candidates: Candidates,
        details: FilmDetails,
        watch: Stopwatch,
        warnings: tuple[str, ...] = (),
    ) -> AnswerFields:
        """Return the fields that every response has, with these warnings before others."""
        return {
            "degraded": candidates.degraded,
            "warnings": warnings + self.warnings(candidates, details),
            "timings_ms": watch.milliseconds(),
            "generation": self.generation,
        }

    def movie(self, film: int) -> Movie:
        """Return the film of this id. Raises NotFound."""
        found = self.catalogue.films([film])
        if film not in found:
            raise unknown_film(film)
        return found[film].movie

    def keyword_problem(self) -> str | None:
        """Return why the keyword engine does not take part in searches, None if it does."""
        problem = self.retriever.keyword.breaker.problem
        if problem is None:
            try:
                self.engines.lexical.check()
            except EngineUnavailable as error:
                problem = error.message
        return problem

    def warm(self) -> None:
        """Answer a first query, which takes longer than others, before a user asks one."""
        with suppress(EngineUnavailable):
            self.search(SearchQuery(query="a film to begin with"))

    def close(self) -> None:
        """Close files and stop threads."""
        self.retriever.close()
        self.catalogue.close()
