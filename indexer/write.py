"""Writing the semantic store: an IVFPQ index with a measured nprobe, or none for small sets."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from hybrid.encoder import Vectors
from hybrid.engines.catalogue import FilterColumns
from hybrid.engines.exact import ExactEngine, SentenceVectors
from hybrid.engines.ivfpq import MIN_VECTORS, IvfPqEngine, train, write_index
from hybrid.engines.protocols import Meaning
from hybrid.generation import FAISS_INDEX, Semantic
from hybrid.query import Filters
from hybrid.ranking import Ids

PROBES = 200
"""Queries by which the recall of an index is measured."""

DEPTH = 200
"""Films asked for by such a query; the first ten are compared."""

WANTED_RECALL = 0.995
"""Recall@10 against the exact scan, from which on fewer probes are not traded for speed."""


def write_semantic(folder: Path, sentences: SentenceVectors, columns: FilterColumns) -> Semantic:
    """Write what the semantic engine needs beside the vectors; return how to open it."""
    if len(sentences.vectors) < MIN_VECTORS:
        return Semantic(engine="exact")
    index = train(columns.ids, sentences)
    write_index(index, folder / FAISS_INDEX)
    exact = ExactEngine(sentences, columns)
    probes = probe_vectors(sentences.vectors)
    truth = [exact.search(Meaning(probe), Filters(), 10).ids for probe in probes]
    nprobe = 1
    while True:
        recall = recall_at_10(IvfPqEngine(index, nprobe, exact), probes, truth)
        if recall >= WANTED_RECALL or nprobe >= index.nlist:
            break
        nprobe *= 2
    return Semantic(
        engine="ivfpq",
        lists=index.nlist,
        sub_quantisers=index.pq.M,
        nprobe=nprobe,
        recall_at_10=round(recall, 4),
    )


def probe_vectors(vectors: Vectors) -> Vectors:
    """Return up to 200 unit vectors that lie off the stored ones as far as queries do.

    Stored sentences alone are found too easily: noise of their own length is added, which leaves a
    cosine near .7 to the sentence they came from. The same vectors give the same probes.
    """
    random = np.random.default_rng(0)
    chosen = vectors[np.sort(random.choice(len(vectors), min(PROBES, len(vectors)), False))]
    noise = random.standard_normal(chosen.shape) / np.sqrt(chosen.shape[1])
    noisy = chosen + noise
    unit: Vectors = (noisy / np.linalg.norm(noisy, axis=1, keepdims=True)).astype(np.float32)
    return unit


def recall_at_10(engine: IvfPqEngine, probes: Vectors, truth: Sequence[Ids]) -> float:
    """Return the mean share of the true ten best films of each probe that are found, 0 to 1."""
    found = (engine.search(Meaning(probe), Filters(), DEPTH).ids[:10] for probe in probes)
    return float(
        np.mean([np.isin(true, ids).mean() for true, ids in zip(truth, found, strict=True)])
    )
