"""Sentence vectors scored one by one: the engine of small sets, and the oracle of the others."""

from collections.abc import Sequence

import numpy as np

from hybrid.query import Filters
from hybrid.ranking import Ids, Ranking, Scores
from hybrid.storage.filter_columns import FilterColumns
from hybrid.storage.sentence_vectors import Places, SentenceVectors
from hybrid.vectors import QueryVector


class ExactEngine:
    """Scans every sentence of every film that the filters allow."""

    def __init__(self, sentences: SentenceVectors, columns: FilterColumns) -> None:
        self.sentences = sentences
        self.columns = columns
        self._has_vector = sentences.counts > 0

    def allowed(self, filters: Filters) -> Places:
        """Return the places of the films with a vector that the filters allow."""
        return np.flatnonzero(self._has_vector & self.columns.allowed(filters))

    def rank(self, meaning: QueryVector, places: Places, depth: int) -> Ranking:
        """Return the best `depth` of the films at `places`, each of which has a vector."""
        if not len(places):
            return Ranking.empty()
        scores, _ = self.sentences.best(meaning, places)
        return Ranking.sorted(self.columns.ids[places], scores, depth)

    def search(self, meaning: QueryVector, filters: Filters, depth: int) -> Ranking:
        """Return the best `depth` films that the filters allow."""
        return self.rank(meaning, self.allowed(filters), depth)

    def score(self, meaning: QueryVector, ids: Ids) -> Scores:
        """Return the exact score of each film, NaN without a vector."""
        return self._best(meaning, ids)[0]

    def best_sentences(self, meaning: QueryVector, ids: Ids) -> Ids:
        """Return the number of each film's best sentence, -1 without one."""
        return self._best(meaning, ids)[1]

    def explain(self, meaning: QueryVector, ids: Ids) -> Sequence[Sequence[tuple[int, float]]]:
        """Return number and cosine of each film's sentences that count, the best first."""
        places = self.columns.places(ids).tolist()
        return [self.sentences.counting(meaning, place) if place >= 0 else [] for place in places]

    def _best(self, meaning: QueryVector, ids: Ids) -> tuple[Scores, Ids]:
        scores = np.full(len(ids), np.nan)
        numbers = np.full(len(ids), -1, np.int64)
        places = self.columns.places(ids)
        scored = (places >= 0) & self._has_vector[places]
        if scored.any():
            scores[scored], numbers[scored] = self.sentences.best(meaning, places[scored])
        return scores, numbers
