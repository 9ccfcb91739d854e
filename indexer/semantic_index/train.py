"""Writing the semantic store: an IVFPQ index with a measured nprobe, or none for small sets."""

from bisect import bisect_left
from functools import cache
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

LARGE = 1 << 18
"""Sentences from which an index is large: to look into all lists takes longer than the rest of a
search by meaning. Of 751,800 sentences in 512 lists it took 9.2 ms of CPU for a recall@10 of .994,
half of the lists 5.6 ms for .977, a quarter 4.1 ms for .914."""

WANTED_RECALL, WANTED_OF_LARGE = 0.995, 0.97
"""Recall@10 against the exact scan that nprobe must reach, of a small and of a large index; then it
is not raised further."""

STEPS = 32
"""Numbers of probes that are chosen from."""


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
    nprobe, recall = fewest_probes(index, ExactEngine(sentences, columns))
    semantic = Semantic(
        engine="ivfpq",
        lists=index.nlist,
        sub_quantisers=index.pq.M,
        nprobe=nprobe,
        recall_at_10=recall,
    )
    return semantic, {identity(file): digest}


def lists_of(sentences: int) -> int:
    """Return the number of lists for so many sentences: the largest power of two up to their square
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


def fewest_probes(index: "faiss.IndexIVF", exact: ExactEngine) -> tuple[int, float]:
    """Return the fewest probes, in steps of a 32nd of the lists, that reach the wanted recall, or
    all lists; and the recall that is reached."""
    probes = RecallProbes.of(exact)
    wanted = WANTED_OF_LARGE if exact.sentences.total() >= LARGE else WANTED_RECALL

    @cache
    def recall(nprobe: int) -> float:
        return probes.recall_at_10(IvfPqEngine(index, nprobe, exact))

    step = max(1, index.nlist // STEPS)
    choices = range(step, index.nlist + 1, step)
    place = bisect_left(choices, True, key=lambda nprobe: recall(nprobe) >= wanted)
    nprobe = choices[min(place, len(choices) - 1)]
    return nprobe, recall(nprobe)
