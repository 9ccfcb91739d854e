"""Writing the semantic store: an IVFPQ index with a measured nprobe, or none for small sets."""

from pathlib import Path

import faiss
import numpy as np

from hybrid.encoder import Vectors
from hybrid.engines.catalogue import FilterColumns
from hybrid.engines.exact import ExactEngine
from hybrid.engines.ivfpq import MIN_VECTORS, IvfPqEngine, train, write_index
from hybrid.engines.protocols import Meaning
from hybrid.engines.vectors import SentenceVectors
from hybrid.generation import FAISS_INDEX, Semantic, identity
from hybrid.query import Filters
from indexer.publish import Digests

PROBES = 200
"""Queries by which the recall of an index is measured."""

DEPTH = 200
"""Films asked for by such a query; the first ten are compared."""

WANTED_RECALL = 0.995
"""Recall@10 against the exact scan, from which on fewer probes are not traded for speed."""


def write_semantic(
    folder: Path, sentences: SentenceVectors, columns: FilterColumns
) -> tuple[Semantic, Digests]:
    """Write what the semantic engine needs beside the vectors, which are one piece.

    Returns how to open it, and the digest of the file that was written.
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
    nprobe = 1
    while True:
        recall = recall_at_10(IvfPqEngine(index, nprobe, exact), exact)
        if recall >= WANTED_RECALL or nprobe >= index.nlist:
            return nprobe, recall
        nprobe *= 2


def probe_vectors(sentences: SentenceVectors) -> Vectors:
    """Return up to 200 unit vectors that lie off the stored ones as far as queries do.

    Stored sentences alone are found too easily: noise of their own length is added, which leaves a
    cosine near .7 to the sentence they came from. The same vectors give the same probes.
    """
    random = np.random.default_rng(0)
    rows = sentences.rows(np.arange(len(sentences.counts)))
    chosen = sentences.vectors(
        rows[np.sort(random.choice(len(rows), min(PROBES, len(rows)), False))]
    )
    noise = random.standard_normal(chosen.shape) / np.sqrt(chosen.shape[1])
    noisy = chosen + noise
    unit: Vectors = (noisy / np.linalg.norm(noisy, axis=1, keepdims=True)).astype(np.float32)
    return unit


def recall_at_10(engine: IvfPqEngine, exact: ExactEngine) -> float:
    """Return the mean share of the true ten best films of each probe that are found, 0 to 1."""
    shares = []
    for probe in probe_vectors(exact.sentences):
        true = exact.search(Meaning(probe), Filters(), 10).ids
        found = engine.search(Meaning(probe), Filters(), DEPTH).ids[:10]
        shares.append(np.isin(true, found).mean())
    return round(float(np.mean(shares)), 4)
