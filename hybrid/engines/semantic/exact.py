"""Brute-force search over sentence vectors: for small sets, and the reference for IVFPQ."""

from collections.abc import Sequence

import numpy as np

from hybrid.query import Filters
from hybrid.ranking import FilmSet, Ids, Ranking, Scores
from hybrid.storage.filter_columns import FilterColumns
from hybrid.storage.rows import Rows
from hybrid.storage.sentence_vectors import SentenceVectors
from hybrid.vectors import QueryVector, Vectors


class ExactEngine:
    """Scores every sentence of every film that the filters allow."""

    def __init__(self, sentences: SentenceVectors, columns: FilterColumns) -> None:
        self.sentences = sentences
        self.columns = columns
        self._has_vector = sentences.counts > 0

    def allowed(self, filters: Filters, among: FilmSet | None = None) -> Rows:
        """Return the rows of the films with a vector that the filters allow, int64 ascending.

        Only of `among` if that is given.
        """
        allowed = self._has_vector & self.columns.allowed(filters)
        if among is not None:
            rows = self.columns.rows_of(among.ids)
            inside = np.zeros(len(allowed), np.bool_)
            inside[rows[rows >= 0]] = True
            allowed &= inside
        return np.flatnonzero(allowed)

    def with_vector(self, rows: Rows) -> Rows:
        """Return those of these rows whose films have a vector."""
        return rows[self._has_vector[rows]]

    def rank(self, query_vector: QueryVector, rows: Rows, depth: int) -> Ranking:
        """Return the best `depth` of the films in these rows, each of which has a vector."""
        if not len(rows):
            return Ranking.empty()
        scores, _ = self.sentences.best(query_vector, rows)
        return Ranking.sorted(self.columns.ids[rows], scores, depth)

    def search(
        self,
        query_vector: QueryVector,
        filters: Filters,
        depth: int,
        among: FilmSet | None = None,
    ) -> Ranking:
        """Return the best `depth` films that the filters allow, only of `among` if given."""
        return self.rank(query_vector, self.allowed(filters, among), depth)

    def score(self, query_vector: QueryVector, ids: Ids) -> Scores:
        """Return the exact score of each film, float64 (len(ids),), NaN without a vector."""
        return self.best_sentences(query_vector, ids)[0]

    def best_sentences(self, query_vector: QueryVector, ids: Ids) -> tuple[Scores, Ids]:
        """Return the `score` of each film and the number of its best sentence, -1 without one."""
        scores = np.full(len(ids), np.nan)
        numbers = np.full(len(ids), -1, np.int64)
        rows = self.columns.rows_of(ids)
        scored = (rows >= 0) & self._has_vector[rows]
        if scored.any():
            scores[scored], numbers[scored] = self.sentences.best(query_vector, rows[scored])
        return scores, numbers

    def explain(self, query_vector: QueryVector, ids: Ids) -> Sequence[Sequence[tuple[int, float]]]:
        """Return (number, cosine) of the sentences that make up each film's score, best first."""
        rows = self.columns.rows_of(ids).tolist()
        return [self.sentences.best_of_film(query_vector, row) if row >= 0 else [] for row in rows]

    def vectors_of(self, film: int) -> Vectors:
        """Return the vectors of a film's sentences, float32 (sentences, d), (0, d) without one."""
        rows = self.columns.rows_of(np.array([film], np.int64))
        return self.sentences.vectors(self.sentences.sentence_rows(rows[rows >= 0]))
