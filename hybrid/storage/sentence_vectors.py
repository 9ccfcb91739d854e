"""Sentence vectors in files that never change, and their inner products with a query."""

from collections.abc import Iterator, Sequence
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
from hybrid.storage.mapped import mapped
from hybrid.storage.rows import Rows, rows_of_ranges
from hybrid.vectors import QueryVector, Vectors

TAKEN = np.float32(-np.inf)
"""The cosine of a sentence that has been counted already, or that a film does not have."""


@dataclass(frozen=True)
class SentenceVectors:
    """The vectors of all sentences; those of one film are adjacent rows of one piece.

    `pieces` float32 (rows, d) each, C-contiguous, may be memory-mapped. Their rows are numbered
    consecutively across pieces: film f, counted in the order of ids, has `counts[f]` sentences,
    whose rows begin at `firsts[f]`; both int64 (films,).
    """

    pieces: tuple[Vectors, ...]
    firsts: Rows
    counts: Rows

    @classmethod
    def contiguous(cls, vectors: Vectors, counts: Rows) -> Self:
        """Return the vectors of one piece, float32 (rows, d), in which film follows film."""
        return cls((vectors,), np.cumsum(counts) - counts, counts)

    @cached_property
    def starts(self) -> Rows:
        """The first row of each piece and the number of all rows, int64 (pieces + 1,)."""
        return np.cumsum([0, *map(len, self.pieces)], dtype=np.int64)

    def total(self) -> int:
        """Return the number of sentences of all films; pieces may hold rows that no film uses."""
        return int(self.counts.sum())

    def sentence_rows(self, films: Rows) -> Rows:
        """Return the rows of all sentences of these films, film by film, int64 (sentences,)."""
        return rows_of_ranges(self.firsts[films], self.counts[films])

    def vectors(self, rows: Rows) -> Vectors:
        """Return a copy of these rows, float32 (len(rows), d)."""
        taken = np.empty((len(rows), self.pieces[0].shape[1] if self.pieces else 0), np.float32)
        for piece, here, local in self._by_piece(rows):
            taken[here] = piece[local]
        return taken

    def best(self, query_vector: QueryVector, films: Rows) -> tuple[Scores, Rows]:
        """Return the score of each film and the number of its best sentence.

        float64 and int64, (len(films),) each. Every film must have a sentence; of equal sentences
        the first is the best.
        """
        counts = self.counts[films]
        left = np.full((len(films), counts.max(initial=1)), TAKEN)
        # A row for each film, the first columns of which are its sentences.
        sentences = np.arange(left.shape[1]) < counts[:, np.newaxis]
        left[sentences] = self._cosines(query_vector.vector, self.sentence_rows(films))
        every, scores = np.arange(len(films)), np.zeros(len(films), np.float64)
        numbers = left.argmax(axis=1)
        best = numbers
        for weight in query_vector.weights:
            cosines = left[every, best].astype(np.float64)
            scores += weight * np.where(cosines > TAKEN, cosines, 0.0)
            left[every, best] = TAKEN
            best = left.argmax(axis=1)
        return scores, numbers

    def best_of_film(self, query_vector: QueryVector, film: int) -> list[tuple[int, float]]:
        """Return (number, cosine) of the sentences that make up the film's score, best first."""
        rows = np.arange(self.counts[film]) + self.firsts[film]
        cosines = self._cosines(query_vector.vector, rows)
        best = np.argsort(-cosines, kind="stable")[: len(query_vector.weights)]
        return list(zip(best.tolist(), cosines[best].tolist(), strict=True))

    def _cosines(self, vector: Vectors, rows: Rows) -> Vectors:
        """Return the inner product of `vector` with each row.

        FAISS computes each row separately, so equal rows give equal bits whatever rows surround
        them (unlike a matrix product), and it reads the rows in place, without a copy.
        """
        query = np.ascontiguousarray(vector, np.float32)
        cosines = np.empty(len(rows), np.float32)
        for piece, here, local in self._by_piece(rows):
            cosines[here] = _inner_products(query, piece, local)
        return cosines

    def _by_piece(self, rows: Rows) -> Iterator[tuple[Vectors, slice | NDArray[np.bool_], Rows]]:
        """Yield each piece that holds some of `rows`, which of them, and their rows within it."""
        if len(self.pieces) == 1:
            yield self.pieces[0], slice(None), rows
            return
        holders = np.searchsorted(self.starts, rows, side="right") - 1
        for number in np.unique(holders).tolist():
            here = holders == number
            yield self.pieces[number], here, rows[here] - self.starts[number]


def _inner_products(query: Vectors, vectors: Vectors, rows: Rows) -> Vectors:
    products = np.empty(len(rows), np.float32)
    faiss.fvec_inner_products_by_idx(
        faiss.swig_ptr(products),
        faiss.swig_ptr(query),
        faiss.swig_ptr(vectors),
        faiss.swig_ptr(np.ascontiguousarray(rows)),
        vectors.shape[1],
        1,
        len(rows),
    )
    return products


def read_vectors(file: Path) -> Vectors:
    """Return the memory-mapped vectors of a .npy file, float32 (n, d)."""
    return mapped(file, lambda path: np.asarray(np.load(path, mmap_mode="r")))


def read_sentences(pieces: Sequence[Path], delta: Path, sentences: SentenceRows) -> SentenceVectors:
    """Return the memory-mapped vectors of all films, from the pieces of the base and the file of
    the delta, which may be missing.

    Raises GenerationUnusable if no file holds the vectors of a film.
    """
    of_base = [read_vectors(file) for file in pieces]
    of_delta = [read_vectors(delta)] if delta.exists() else []
    rows = sum(map(len, of_base)), sum(map(len, of_delta))
    ends = (sentences.firsts + sentences.counts)[sentences.counts > 0]
    is_delta = sentences.is_delta[sentences.counts > 0]
    if (ends > np.where(is_delta, rows[1], rows[0])).any():
        raise GenerationUnusable(
            "the catalogue names sentences that no file of vectors holds: build the index again"
        )
    firsts = sentences.firsts + rows[0] * sentences.is_delta
    return SentenceVectors((*of_base, *of_delta), firsts, sentences.counts)
