"""The semantic side of a retrieval: the query vector, the list of the semantic engine, and its
scores of others."""

import logging
from dataclasses import dataclass
from functools import partial

import numpy as np

from hybrid.engines.deadline import NEVER, Deadline
from hybrid.engines.protocols import Encoder, SemanticEngine
from hybrid.errors import EngineUnavailable
from hybrid.monitoring.stopwatch import Stopwatch
from hybrid.query_language.conditions import Conditions
from hybrid.ranking import FilmSet, Ids, Ranking, Scores
from hybrid.retrieval.film_sets import FilmSets
from hybrid.retrieval.request import Request
from hybrid.retrieval.request_vectors import request_vectors
from hybrid.vectors import QueryVector

PLOT_WORDS = 7
"""A query of at least this many words describes a plot, which spans several sentences."""

ONE_SENTENCE, PLOT_SENTENCES = (1.0,), (0.6, 0.2, 0.2)
"""Weights of a film's best sentences; docs/ranking.md gives their measured gain."""


@dataclass(frozen=True)
class SemanticSide:
    """Encodes queries and asks the semantic engine, in the thread of the search."""

    encoder: Encoder
    semantic: SemanticEngine
    film_sets: FilmSets

    def query_vector(self, text: str) -> QueryVector:
        """Return what is searched for by meaning."""
        vector = request_vectors(self.encoder, [text])[0]
        describes_plot = len(text.split()) >= PLOT_WORDS
        return QueryVector(vector, PLOT_SENTENCES if describes_plot else ONE_SENTENCE)

    def search(self, request: Request, depth: int) -> tuple[QueryVector | None, Ranking]:
        """Return the query vector and the list; without the engine None and an empty one."""
        if request.query.mode != "keyword":
            try:
                return self._search(request, depth)
            except EngineUnavailable as error:
                request.lost["semantic"] = error
            except Exception:  # whatever ONNX Runtime and FAISS raise
                logging.getLogger(__name__).exception("the semantic engine failed")
                problem = "the semantic engine failed: the log of the service says why"
                request.lost["semantic"] = EngineUnavailable(problem)
        return None, Ranking.empty()

    def best_sentences(
        self, query_vector: QueryVector | None, ids: Ids, watch: Stopwatch
    ) -> tuple[Scores, Ids]:
        """Return the semantic score of each film, float64 (len(ids),), NaN without one, and the
        number of its best sentence, int64 (len(ids),), -1 without one."""
        if query_vector is None:
            return np.full(len(ids), np.nan), np.full(len(ids), -1, np.int64)
        with watch.stage("complete"):
            return self.semantic.best_sentences(query_vector, ids)

    def _search(self, request: Request, depth: int) -> tuple[QueryVector | None, Ranking]:
        _check_time(request.deadline)
        with request.watch.stage("encode"):
            query_vector = request.vector()
        if query_vector is None:
            return None, Ranking.empty()
        _check_time(request.deadline)
        with request.watch.stage("semantic"):
            filters, many = request.query.filters, depth + len(request.excluded)
            search = partial(self.semantic.search, query_vector, filters, many)
            found = search(request.among).without(request.excluded).top(depth)
            preferred = self._preferred_films(request)
            if preferred is not None:
                found = found.united(search(preferred).without(request.excluded).top(depth))
            return query_vector, found

    def _preferred_films(self, request: Request) -> FilmSet | None:
        """Return the films of the years and genres that the query prefers, None if it has none."""
        preferred = request.years_and_genres
        if not preferred:
            return None
        conditions = Conditions(preferred)
        # Years and genres are in memory: no engine is asked.
        films = self.film_sets.known(conditions) or self.film_sets.matching(conditions, NEVER)
        if request.among is None:
            return films
        return FilmSet(np.intersect1d(films.ids, request.among.ids, assume_unique=True))


def _check_time(deadline: Deadline) -> None:
    if not deadline.left:
        raise EngineUnavailable("the semantic engine was not asked: no time was left")
