"""Writing the semantic store: an IVFPQ index with a measured nprobe, or none for small sets."""

from pathlib import Path

import faiss
import numpy as np

from hybrid.engines.semantic.exact import ExactEngine
from hybrid.engines.semantic.ivfpq import MIN_VECTORS, IvfPqEngine, train, write_index
from hybrid.ranking import Ids
from hybrid.storage.filter_columns import FilterColumns
from hybrid.storage.generation import FAISS_INDEX
from hybrid.storage.manifest import Semantic, identity
from hybrid.storage.sentence_vectors import SentenceVectors
from indexer.generations.publish import Digests
from indexer.semantic_index.recall import RecallProbes

POINTS_PER_LIST = 256
"""Vectors for each list that FAISS trains an index on at most."""

BLOCK = 50_000
"""Vectors added at once."""

WANTED_RECALL = 0.995
"""Recall@10 against the exact scan that nprobe must reach; then it is not raised further."""


def write_semantic(
    folder: Path, sentences: SentenceVectors, columns: FilterColumns
) -> tuple[Semantic, Digests]:
    """Write what the semantic engine needs beside the vectors.

    Returns how to open it, and the digest of the file that was written, if any.
    """
    if sentences.total() < MIN_VECTORS:
        return Semantic(engine="exact"), {}
    index = index_of(sentences, columns.ids)
    file = folder / FAISS_INDEX
    digest = write_index(index, file)
    nprobe, recall = _fewest_probes(index, ExactEngine(sentences, columns))
    semantic = Semantic(
        engine="ivfpq",
        lists=index.nlist,
        sub_quantisers=index.pq.M,
        nprobe=nprobe,
        recall_at_10=recall,
    )
    return semantic, {identity(file): digest}


def lists_of(sentences: int) -> int:
    """Return the number of lists for so many sentences: the largest power of two up to the square
    root."""
    return 1 << (int(sentences**0.5).bit_length() - 1)


def index_of(sentences: SentenceVectors, ids: Ids) -> "faiss.IndexIVF":
    """Return an index that holds each sentence under the id of its film, int64 (films,).

    It is trained on a sample, the same for the same sentences, and filled in blocks: all vectors
    may not fit into memory.
    """
    rows = sentences.sentence_rows(np.arange(len(sentences.counts)))
    labels = np.repeat(ids, sentences.counts)
    lists = lists_of(len(rows))
    size = min(len(rows), POINTS_PER_LIST * lists)
    chosen = np.random.default_rng(0).choice(len(rows), size, replace=False)
    index = train(sentences.vectors(rows[np.sort(chosen)]), lists)
    for start in range(0, len(rows), BLOCK):
        some = slice(start, start + BLOCK)
        index.add_with_ids(sentences.vectors(rows[some]), labels[some])
    return index


def _fewest_probes(index: "faiss.IndexIVF", exact: ExactEngine) -> tuple[int, float]:
    """Return the smallest power of two that reaches the wanted recall, or all lists."""
    probes, nprobe = RecallProbes.of(exact), 1
    while True:
        recall = probes.recall_at_10(IvfPqEngine(index, nprobe, exact))
        if recall >= WANTED_RECALL or nprobe >= index.nlist:
            return nprobe, recall
        nprobe *= 2
