"""FAISS IVFPQ over sentence vectors; its candidates are re-ranked exactly.

The index stores every sentence under its film's id with 4 bits per sub-quantiser (fast scan:
André, Kermarrec & Le Scouarnec, "Cache locality is not enough", VLDB 2015), so it needs little
memory; the final order comes from the exact vectors on disk.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import faiss
import numpy as np

from hybrid.cache import Cache
from hybrid.engines.semantic.exact import ExactEngine
from hybrid.query import Filters
from hybrid.ranking import FilmSet, Ids, Ranking, Scores, distinct
from hybrid.storage.manifest import FileDigest
from hybrid.storage.mapped import mapped
from hybrid.storage.rows import NO_ROWS, Rows
from hybrid.vectors import QueryVector, Vectors

MIN_VECTORS = 256
"""An IVFPQ index cannot be trained on fewer vectors."""

EXACT_SENTENCES = 2500
"""A filter that allows at most this many sentences is answered by an exact scan: a re-rank would
read as many."""

CANDIDATES_PER_FILM = 4
"""Sentences fetched from the index per film of the result, before the exact re-rank."""

MAX_CACHED_SELECTORS = 64

MAX_BITMAP_ID = 1 << 28
"""A bitmap up to this id takes 32 MiB; if a higher id is allowed, a set is used instead."""


@dataclass(frozen=True)
class Selector:
    """The films that a filter allows: their rows, for the exact scan, and how FAISS searches those
    in the index.

    `sentences` is how many sentences they have together, `unindexed` the rows of those that are
    not in the index.
    """

    rows: Rows
    sentences: int
    unindexed: Rows
    parameters: "faiss.SearchParametersIVF"


@dataclass(frozen=True)
class Unindexed:
    """What changed since an index was written: `outdated` are ids of films in it that do not count
    as they are there, `rows` those of films that are not in it, int64 (n,) ascending each."""

    outdated: Ids
    rows: Rows


NOTHING_UNINDEXED = Unindexed(np.empty(0, np.int64), NO_ROWS)


class IvfPqEngine:
    """Approximate candidates, exact scores. Narrow filters and `score` use `exact` alone.

    Films that are `unindexed` are candidates always.
    """

    def __init__(
        self,
        index: "faiss.IndexIVF",
        nprobe: int,
        exact: ExactEngine,
        unindexed: Unindexed = NOTHING_UNINDEXED,
    ) -> None:
        self._index = index
        self._exact = exact
        self._unindexed = exact.with_vector(unindexed.rows)
        outdated = id_selector(unindexed.outdated)
        indexed = faiss.IDSelectorNot(outdated) if len(unindexed.outdated) else None
        self._parameters = faiss.SearchParametersIVF(nprobe=nprobe, sel=indexed)
        self._outdated = outdated  # FAISS refers to it
        self._selectors: Cache[tuple[Filters, FilmSet | None], Selector] = Cache(
            "selectors", MAX_CACHED_SELECTORS
        )

    def search(
        self,
        query_vector: QueryVector,
        filters: Filters,
        depth: int,
        among: FilmSet | None = None,
    ) -> Ranking:
        """Return the best `depth` films that the filters allow, only of `among` if given."""
        selector = self._selector(filters, among) if filters or among is not None else None
        if selector and selector.sentences <= EXACT_SENTENCES:
            return self._exact.rank(query_vector, selector.rows, depth)
        unindexed = selector.unindexed if selector else self._unindexed
        sentences = selector.sentences if selector else self._index.ntotal
        films = len(selector.rows) if selector else len(self._exact.columns.ids)
        wanted = CANDIDATES_PER_FILM * depth
        while True:
            found = self._candidates(query_vector.vector, wanted, selector)
            # Films of many sentences may fill the list: more sentences, until there are enough.
            if len(found) + len(unindexed) >= min(depth, films) or wanted >= sentences:
                rows = self._exact.columns.rows_of(found)
                if len(unindexed):
                    rows = np.concatenate([rows, unindexed])
                return self._exact.rank(query_vector, rows, depth)
            wanted *= 4

    def score(self, query_vector: QueryVector, ids: Ids) -> Scores:
        """Return the exact score of each film, float64 (len(ids),), NaN without a vector."""
        return self._exact.score(query_vector, ids)

    def best_sentences(self, query_vector: QueryVector, ids: Ids) -> tuple[Scores, Ids]:
        """Return the `score` of each film and the number of its best sentence, -1 without one."""
        return self._exact.best_sentences(query_vector, ids)

    def explain(self, query_vector: QueryVector, ids: Ids) -> Sequence[Sequence[tuple[int, float]]]:
        """Return (number, cosine) of the sentences that make up each film's score, best first."""
        return self._exact.explain(query_vector, ids)

    def vectors_of(self, film: int) -> Vectors:
        """Return the vectors of a film's sentences, float32 (sentences, d), (0, d) without one."""
        return self._exact.vectors_of(film)

    def _candidates(self, vector: Vectors, wanted: int, selector: Selector | None) -> Ids:
        parameters = selector.parameters if selector else self._parameters
        query = np.ascontiguousarray(vector[np.newaxis], np.float32)
        _, labels = self._index.search(query, min(wanted, self._index.ntotal), params=parameters)
        films = distinct(labels[0])
        return films[films >= 0]  # FAISS fills a short list with -1

    def _selector(self, filters: Filters, among: FilmSet | None) -> Selector:
        selector = self._selectors.get((filters, among))
        if selector is None:
            selector = self._make_selector(filters, among)
            self._selectors.put((filters, among), selector)
        return selector

    def _make_selector(self, filters: Filters, among: FilmSet | None) -> Selector:
        rows = self._exact.allowed(filters, among)
        ids = self._exact.columns.ids[rows]
        sentences = int(self._exact.sentences.counts[rows].sum())
        is_unindexed = np.isin(rows, self._unindexed, assume_unique=True)
        # Each list holds few allowed sentences, so all lists are probed.
        parameters = faiss.SearchParametersIVF(
            nprobe=self._index.nlist, sel=id_selector(ids[~is_unindexed])
        )
        return Selector(rows, sentences, rows[is_unindexed], parameters)


def id_selector(ids: Ids) -> "faiss.IDSelector":
    """Return a FAISS selector of these film ids, int64 (n,) ascending."""
    if len(ids) and ids[-1] > MAX_BITMAP_ID:
        return faiss.IDSelectorBatch(ids)
    bits = np.zeros((int(ids[-1]) >> 3) + 1 if len(ids) else 1, np.uint8)
    np.bitwise_or.at(bits, ids >> 3, np.left_shift(1, ids & 7).astype(np.uint8))
    return faiss.IDSelectorBitmap(bits)


def train(sample: Vectors, lists: int) -> "faiss.IndexIVF":
    """Return an index of so many lists, trained on `sample`, float32 (n, d), that holds nothing."""
    dimension = sample.shape[1]
    index = faiss.index_factory(
        dimension, f"IVF{lists},PQ{sub_quantisers(dimension)}x4fs", faiss.METRIC_INNER_PRODUCT
    )
    # Small sets have few training points per centroid, which is intended: no warning.
    index.cp.min_points_per_centroid = index.pq.cp.min_points_per_centroid = 1
    index.train(sample)
    return index


def sub_quantisers(dimension: int) -> int:
    """Return the largest divisor of `dimension` that leaves a sub-quantiser 4 or more values."""
    return max(m for m in range(1, dimension // 4 + 1) if dimension % m == 0)


def write_index(index: "faiss.Index", file: Path) -> FileDigest:
    """Write `index` and return the digest of the bytes passed to the file system.

    A full disk raises OSError here, where `faiss.write_index` to a path may not report it. The file
    is not synced: all files are when the generation is published.
    """
    sha256 = hashlib.sha256()
    with file.open("wb") as out:

        def write(data: bytes) -> None:
            sha256.update(data)
            out.write(data)

        faiss.write_index(index, faiss.PyCallbackIOWriter(write))
        size = out.tell()
    return FileDigest(sha256=sha256.hexdigest(), size=size)


def read_index(file: Path) -> "faiss.IndexIVF":
    """Read an index file, which must have been checked against its digest: FAISS does not check."""
    return faiss.read_index(str(file))


def map_index(file: Path) -> "faiss.IndexIVF":
    """Map an index file, which must have been checked, into memory. It must not be changed."""
    return mapped(file, lambda path: faiss.read_index(str(path), faiss.IO_FLAG_MMAP_IFC))
