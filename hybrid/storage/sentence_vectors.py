"""Sentence vectors in files that never change, and their inner products with a query."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Self

import faiss
import numpy as np
from numpy.typing import NDArray

from hybrid.errors import GenerationUnusable
from hybrid.ranking import Scores
from hybrid.storage.catalogue import SentenceRows
from hybrid.vectors import QueryVector, Vectors

Rows = NDArray[np.int64]

Places = NDArray[np.int64]


@dataclass(frozen=True)
class SentenceVectors:
    """The vectors of all sentences, those of one film side by side in one of several pieces.

    `pieces` float32 (rows, d) each, C-contiguous, may be memory-mapped. Rows are numbered through
    all pieces, one after the other: the sentences of the film at place p are the `counts[p]` rows
    from `firsts[p]` on, int64 (films,) both.
    """

    pieces: tuple[Vectors, ...]
    firsts: Rows
    counts: Rows

    @classmethod
    def in_order(cls, vectors: Vectors, counts: Rows) -> Self:
        """Return those of one piece in which the films follow each other."""
        return cls((vectors,), np.cumsum(counts) - counts, counts)

    @cached_property
    def starts(self) -> Rows:
        """The first row of each piece, and the number of all rows, int64 (pieces + 1,)."""
        return np.cumsum([0, *map(len, self.pieces)], dtype=np.int64)

    def total(self) -> int:
        """Return the number of sentences of all films. Pieces may hold rows of no film."""
        return int(self.counts.sum())

    def rows(self, places: Places) -> Rows:
        """Return the rows of the films at `places`, film by film."""
        counts = self.counts[places]
        shifts = self.firsts[places] - (np.cumsum(counts) - counts)
        rows: Rows = np.arange(counts.sum()) + np.repeat(shifts, counts)
        return rows

    def vectors(self, rows: Rows) -> Vectors:
        """Return a copy of these rows, float32 (len(rows), d)."""
        taken = np.empty((len(rows), self.pieces[0].shape[1] if self.pieces else 0), np.float32)
        for piece, here, local in self._by_piece(rows):
            taken[here] = piece[local]
        return taken

    def best(self, meaning: QueryVector, places: Places) -> tuple[Scores, Rows]:
        """Return each film's score and the number of its best sentence.

        Every film must have a sentence. Of equal sentences the first counts.
        """
        counts = self.counts[places]
        firsts = np.cumsum(counts) - counts
        film = np.repeat(np.arange(len(places)), counts)
        number = np.arange(len(film)) - firsts[film]
        cosines = self._cosines(meaning.vector, self.firsts[places][film] + number)
        order = np.lexsort((-cosines, film))  # stable: the first of equal sentences stays first
        scores = np.zeros(len(places), np.float64)
        for nth, weight in enumerate(meaning.weights):
            has = counts > nth
            scores[has] += weight * cosines[order[firsts[has] + nth]].astype(np.float64)
        return scores, number[order[firsts]]

    def counting(self, meaning: QueryVector, place: int) -> list[tuple[int, float]]:
        """Return number and cosine of the film's sentences that count, the best first."""
        rows = np.arange(self.counts[place]) + self.firsts[place]
        cosines = self._cosines(meaning.vector, rows)
        best = np.argsort(-cosines, kind="stable")[: len(meaning.weights)]
        return list(zip(best.tolist(), cosines[best].tolist(), strict=True))

    def _cosines(self, vector: Vectors, rows: Rows) -> Vectors:
        """Return the inner product of `vector` with each row.

        FAISS computes every row by itself, so that equal rows give equal bits whatever stands
        beside them (a matrix product does not), and reads the rows where they lie.
        """
        query = np.ascontiguousarray(vector, np.float32)
        cosines = np.empty(len(rows), np.float32)
        for piece, here, local in self._by_piece(rows):
            cosines[here] = _inner_products(query, piece, local)
        return cosines

    def _by_piece(self, rows: Rows) -> Iterator[tuple[Vectors, slice | NDArray[np.bool_], Rows]]:
        """Give each piece that holds some of `rows`, which of them, and their rows in it."""
        if len(self.pieces) == 1:
            yield self.pieces[0], slice(None), rows
            return
        holders = np.searchsorted(self.starts, rows, side="right") - 1
        for number in np.unique(holders).tolist():
            here = holders == number
            yield self.pieces[number], here, rows[here] - self.starts[number]


def _inner_products(query: Vectors, vectors: Vectors, rows: Rows) -> Vectors:
    found = np.empty(len(rows), np.float32)
    faiss.fvec_inner_products_by_idx(
        faiss.swig_ptr(found),
        faiss.swig_ptr(query),
        faiss.swig_ptr(vectors),
        faiss.swig_ptr(np.ascontiguousarray(rows)),
        vectors.shape[1],
        1,
        len(rows),
    )
    return found


def read_vectors(file: Path) -> Vectors:
    """Return the memory-mapped vectors of a .npy file, float32 (n, d)."""
    return np.asarray(np.load(file, mmap_mode="r"))


def read_sentences(pieces: Mapping[int, Path], places: SentenceRows) -> SentenceVectors:
    """Return the vectors of the films whose sentences lie at `places` of these files.

    Raises GenerationUnusable where a film's are in none of them.
    """
    numbers = np.array(sorted(pieces), np.int64)
    vectors = tuple(read_vectors(pieces[number]) for number in numbers.tolist())
    lengths = np.array([len(piece) for piece in vectors], np.int64)
    has = places.counts > 0
    known = np.isin(places.pieces, numbers)
    index = np.where(known, np.searchsorted(numbers, places.pieces), 0)
    if not known[has].all() or (
        has.any() and (places.rows + places.counts > lengths[index])[has].any()
    ):
        raise GenerationUnusable(
            "the catalogue names sentences that no file of vectors holds: build the index again"
        )
    starts = np.cumsum([0, *lengths.tolist()], dtype=np.int64)
    firsts = np.where(has, starts[index] + places.rows, 0)
    return SentenceVectors(vectors, firsts, places.counts)
