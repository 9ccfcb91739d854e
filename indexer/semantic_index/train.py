"""Writing the semantic store: an IVFPQ index with a measured nprobe, or none for small sets."""

from pathlib import Path

import faiss
import numpy as np

from hybrid.engines.semantic.exact import ExactEngine
from hybrid.engines.semantic.ivfpq import MIN_VECTORS, IvfPqEngine, train, write_index
from hybrid.storage.filter_columns import FilterColumns
from hybrid.storage.generation import FAISS_INDEX
from hybrid.storage.manifest import Semantic, identity
from hybrid.storage.sentence_vectors import SentenceVectors
from indexer.generations.publish import Digests
from indexer.semantic_index.recall import RecallProbes

WANTED_RECALL = 0.995
"""Recall@10 against the exact scan that nprobe must reach; then it is not raised further."""


def write_semantic(
    folder: Path, sentences: SentenceVectors, columns: FilterColumns
) -> tuple[Semantic, Digests]:
    """Write what the semantic engine needs beside the vectors, which must be one piece.

    Returns how to open it, and the digest of the file that was written, if any.
    """
    if sentences.total() < MIN_VECTORS:
        return Semantic(engine="exact"), {}
    (vectors,) = sentences.pieces
    index = train(np.repeat(columns.ids, sentences.counts), vectors)
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


def _fewest_probes(index: "faiss.IndexIVF", exact: ExactEngine) -> tuple[int, float]:
    """Return the smallest power of two that reaches the wanted recall, or all lists."""
    probes, nprobe = RecallProbes.of(exact), 1
    while True:
        recall = probes.recall_at_10(IvfPqEngine(index, nprobe, exact))
        if recall >= WANTED_RECALL or nprobe >= index.nlist:
            return nprobe, recall
        nprobe *= 2
