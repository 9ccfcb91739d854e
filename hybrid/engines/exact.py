"""Sentence vectors scored one by one: the engine of small sets, and the oracle of the others."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import faiss
import numpy as np
from numpy.typing import NDArray

from hybrid.encoder import Vectors
from hybrid.engines.catalogue import FilterColumns
from hybrid.engines.protocols import Meaning
from hybrid.query import Filters
from hybrid.ranking import Ids, Ranking, Scores

Rows = NDArray[np.int64]
Places = NDArray[np.int64]


@dataclass(frozen=True)
class SentenceVectors:
    """The vectors of all sentences, those of one film side by side.

    `vectors` float32 (sentences, d), C-contiguous, may be memory-mapped; `starts` int64
    (films + 1,): the sentences of the film at place p are the rows starts[p] to starts[p + 1].
    """

    vectors: Vectors
    starts: Rows

    def counts(self, places: Places) -> NDArray[np.int64]:
        """Return how many sentences the film at each place has."""
        return self.starts[places + 1] - self.starts[places]

    def best(self, meaning: Meaning, places: Places) -> tuple[Scores, Rows]:
        """Return each film's score and the number of its best sentence.

        Every film must have a sentence. Of equal sentences the first counts.
        """
        counts = self.counts(places)
        firsts = np.cumsum(counts) - counts
        film = np.repeat(np.arange(len(places)), counts)
        number = np.arange(len(film)) - firsts[film]
        cosines = self._cosines(meaning.vector, self.starts[places][film] + number)
        order = np.lexsort((-cosines, film))  # stable: the first of equal sentences stays first
        scores = np.zeros(len(places), np.float64)
        for nth, weight in enumerate(meaning.weights):
            has = counts > nth
            scores[has] += weight * cosines[order[firsts[has] + nth]].astype(np.float64)
        return scores, number[order[firsts]]

    def counting(self, meaning: Meaning, place: int) -> list[tuple[int, float]]:
        """Return number and cosine of the film's sentences that count, the best first."""
        rows = np.arange(self.starts[place], self.starts[place + 1])
        cosines = self._cosines(meaning.vector, rows)
        best = np.argsort(-cosines, kind="stable")[: len(meaning.weights)]
        return list(zip(best.tolist(), cosines[best].tolist(), strict=True))

    def _cosines(self, vector: Vectors, rows: Rows) -> Vectors:
        """Return the inner product of `vector` with each row.

        FAISS computes every row by itself, so that equal rows give equal bits whatever stands
        beside them (a matrix product does not), and reads the rows where they lie.
        """
        cosines = np.empty(len(rows), np.float32)
        faiss.fvec_inner_products_by_idx(
            faiss.swig_ptr(cosines),
            faiss.swig_ptr(np.ascontiguousarray(vector, np.float32)),
            faiss.swig_ptr(self.vectors),
            faiss.swig_ptr(rows),
            self.vectors.shape[1],
            1,
            len(rows),
        )
        return cosines


def read_vectors(file: Path) -> Vectors:
    """Return the memory-mapped vectors of a .npy file, float32 (n, d)."""
    return np.asarray(np.load(file, mmap_mode="r"))


class ExactEngine:
    """Scans every sentence of every film that the filters allow."""

    def __init__(self, sentences: SentenceVectors, columns: FilterColumns) -> None:
        self.sentences = sentences
        self.columns = columns
        self._has_vector = np.diff(sentences.starts) > 0

    def allowed(self, filters: Filters) -> Places:
        """Return the places of the films with a vector that the filters allow."""
        return np.flatnonzero(self._has_vector & self.columns.allowed(filters))

    def rank(self, meaning: Meaning, places: Places, depth: int) -> Ranking:
        """Return the best `depth` of the films at `places`, each of which has a vector."""
        if not len(places):
            return Ranking.empty()
        scores, _ = self.sentences.best(meaning, places)
        return Ranking.sorted(self.columns.ids[places], scores, depth)

    def search(self, meaning: Meaning, filters: Filters, depth: int) -> Ranking:
        """Return the best `depth` films that the filters allow."""
        return self.rank(meaning, self.allowed(filters), depth)

    def score(self, meaning: Meaning, ids: Ids) -> Scores:
        """Return the exact score of each film, NaN without a vector."""
        return self._best(meaning, ids)[0]

    def best_sentences(self, meaning: Meaning, ids: Ids) -> Ids:
        """Return the number of each film's best sentence, -1 without one."""
        return self._best(meaning, ids)[1]

    def explain(self, meaning: Meaning, ids: Ids) -> Sequence[Sequence[tuple[int, float]]]:
        """Return number and cosine of each film's sentences that count, the best first."""
        places = self.columns.places(ids).tolist()
        return [self.sentences.counting(meaning, place) if place >= 0 else [] for place in places]

    def _best(self, meaning: Meaning, ids: Ids) -> tuple[Scores, Ids]:
        scores = np.full(len(ids), np.nan)
        numbers = np.full(len(ids), -1, np.int64)
        places = self.columns.places(ids)
        scored = (places >= 0) & self._has_vector[places]
        if scored.any():
            scores[scored], numbers[scored] = self.sentences.best(meaning, places[scored])
        return scores, numbers
