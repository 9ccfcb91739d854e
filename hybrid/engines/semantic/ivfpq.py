"""FAISS IVFPQ over sentence vectors, its candidates re-ranked exactly.

The index holds every sentence under its film's id in 4 bits a sub-quantiser (fast scan: André,
Kermarrec & Le Scouarnec, "Cache locality is not enough", VLDB 2015), which finds candidates in
little memory; the order of the answer comes from the exact vectors on disk.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

import faiss
import numpy as np

from hybrid.engines.semantic.exact import ExactEngine
from hybrid.query import Filters
from hybrid.ranking import Ids, Ranking, Scores
from hybrid.storage.manifest import FileDigest
from hybrid.storage.sentence_vectors import Places
from hybrid.vectors import QueryVector, Vectors

MIN_VECTORS = 256
"""Fewer vectors do not train an IVFPQ index."""

EXACT_ROWS = 2500
"""Up to so many allowed sentences are scanned: no more than a re-rank reads anyway."""

CANDIDATES_PER_FILM = 4
"""Sentences taken from the index for each film of the answer, before the exact re-rank."""

KEPT_SELECTORS = 64

MAX_BITMAP_ID = 1 << 28
"""A bitmap of 32 MiB; rarer ids above it are kept as a set."""


@dataclass(frozen=True)
class Selector:
    """The films that a filter allows, as FAISS and as the exact scan want them."""

    places: Places
    rows: int
    faiss: "faiss.IDSelector"


class IvfPqEngine:
    """Approximate candidates, exact scores. Small filters and `score` go to `exact` directly."""

    def __init__(self, index: "faiss.IndexIVF", nprobe: int, exact: ExactEngine) -> None:
        self._index = index
        self._nprobe = nprobe
        self._exact = exact
        self._selectors: OrderedDict[Filters, Selector] = OrderedDict()
        self._lock = Lock()

    def search(self, meaning: QueryVector, filters: Filters, depth: int) -> Ranking:
        """Return the best `depth` films that the filters allow."""
        selector = self._selector(filters) if filters else None
        if selector and selector.rows <= EXACT_ROWS:
            return self._exact.rank(meaning, selector.places, depth)
        rows = selector.rows if selector else self._index.ntotal
        films = len(selector.places) if selector else len(self._exact.columns.ids)
        wanted = CANDIDATES_PER_FILM * depth
        while True:
            found = self._candidates(meaning.vector, wanted, selector)
            # Films of many sentences may fill the list: more sentences, until there are enough.
            if len(found) >= min(depth, films) or wanted >= rows:
                return self._exact.rank(meaning, self._exact.columns.places(found), depth)
            wanted *= 4

    def score(self, meaning: QueryVector, ids: Ids) -> Scores:
        """Return the exact score of each film, NaN without a vector."""
        return self._exact.score(meaning, ids)

    def best_sentences(self, meaning: QueryVector, ids: Ids) -> Ids:
        """Return the number of each film's best sentence, -1 without one."""
        return self._exact.best_sentences(meaning, ids)

    def explain(self, meaning: QueryVector, ids: Ids) -> Sequence[Sequence[tuple[int, float]]]:
        """Return number and cosine of each film's sentences that count, the best first."""
        return self._exact.explain(meaning, ids)

    def _candidates(self, vector: Vectors, wanted: int, selector: Selector | None) -> Ids:
        parameters = faiss.SearchParametersIVF(
            # Under a filter the lists hold few allowed sentences each: all are probed.
            nprobe=self._index.nlist if selector else self._nprobe,
            sel=selector.faiss if selector else None,
        )
        query = np.ascontiguousarray(vector[np.newaxis], np.float32)
        _, labels = self._index.search(query, min(wanted, self._index.ntotal), params=parameters)
        films: Ids = np.unique(labels[0])
        return films[films >= 0]  # FAISS fills a short list with -1

    def _selector(self, filters: Filters) -> Selector:
        with self._lock:
            if filters in self._selectors:
                self._selectors.move_to_end(filters)
                return self._selectors[filters]
        selector = self._make_selector(filters)
        with self._lock:
            self._selectors[filters] = selector
            if len(self._selectors) > KEPT_SELECTORS:
                self._selectors.popitem(last=False)
        return selector

    def _make_selector(self, filters: Filters) -> Selector:
        places = self._exact.allowed(filters)
        ids = self._exact.columns.ids[places]
        rows = int(self._exact.sentences.counts[places].sum())
        return Selector(places, rows, id_selector(ids))


def id_selector(ids: Ids) -> "faiss.IDSelector":
    """Return a FAISS selector of these film ids, ascending."""
    if len(ids) and ids[-1] > MAX_BITMAP_ID:
        return faiss.IDSelectorBatch(ids)
    bits = np.zeros((int(ids[-1]) >> 3) + 1 if len(ids) else 1, np.uint8)
    np.bitwise_or.at(bits, ids >> 3, np.left_shift(1, ids & 7).astype(np.uint8))
    return faiss.IDSelectorBitmap(bits)


def train(labels: Ids, vectors: Vectors) -> "faiss.IndexIVF":
    """Return an index of these vectors, each under its film's id, `labels` (len(vectors),).

    The number of lists is the power of two at or below the square root of the number of vectors.
    """
    count, dimension = vectors.shape
    lists = 1 << (int(count**0.5).bit_length() - 1)
    index = faiss.index_factory(
        dimension, f"IVF{lists},PQ{sub_quantisers(dimension)}x4fs", faiss.METRIC_INNER_PRODUCT
    )
    # Small sets train on few points a centroid: that is meant, and no reason for a warning.
    index.cp.min_points_per_centroid = index.pq.cp.min_points_per_centroid = 1
    index.train(vectors)
    index.add_with_ids(vectors, labels)
    return index


def sub_quantisers(dimension: int) -> int:
    """Return the largest number of sub-quantisers that divides `dimension` into 4 or more each."""
    return max(m for m in range(1, dimension // 4 + 1) if dimension % m == 0)


def write_index(index: "faiss.Index", file: Path) -> FileDigest:
    """Write `index` so that a full disk raises OSError: faiss.write_index may not tell.

    It is not synced, as all files are when the generation is published. Returns the digest of what
    was given to be written, not of what the disk made of it.
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
    """Read an index whose file has been checked against its digest: FAISS checks nothing."""
    return faiss.read_index(str(file))
