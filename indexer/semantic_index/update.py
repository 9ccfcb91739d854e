"""The FAISS index of a new base: that of the base before, changed in a copy, or trained anew."""

from dataclasses import dataclass
from pathlib import Path

import faiss
import numpy as np

from hybrid.engines.semantic.exact import ExactEngine
from hybrid.engines.semantic.ivfpq import (
    MIN_VECTORS,
    IvfPqEngine,
    Unindexed,
    read_index,
    write_index,
)
from hybrid.errors import BuildFailed
from hybrid.storage.filter_columns import FilterColumns
from hybrid.storage.generation import FAISS_INDEX, Generation, piece_file
from hybrid.storage.manifest import Semantic, identity
from hybrid.storage.sentence_vectors import SentenceVectors, read_vectors
from indexer.generations.publish import Digests
from indexer.semantic_index.recall import RecallProbes
from indexer.semantic_index.train import write_semantic
from indexer.semantic_index.vector_files import Pieces, write_one_piece

LEAST_RECALL = 0.99
"""An index whose measured recall@10 falls below this is trained anew."""

LOST_RECALL = 0.01
"""Or one that was lower from the start, and loses so much."""

MEASURED_EVERY = 0.05
"""The recall is measured again when this share of the sentences was added or removed."""

TRAINED_AFTER = 0.5
"""At this share the index is trained anew, and vectors of removed films are dropped."""


@dataclass(frozen=True)
class SemanticSide:
    """How to open the semantic index, the pieces of the base's vectors, and digests of files."""

    semantic: Semantic
    pieces: Pieces
    written: Digests


def change_index(
    folder: Path, before: Generation, exact: ExactEngine, unindexed: Unindexed
) -> tuple[Semantic, Digests] | None:
    """Write the index of `before` without the films that are outdated there, and with those that it
    lacks; return None if it has to be trained anew.

    `exact` has the sentences of all films.
    """
    semantic, total = before.manifest.semantic, exact.sentences.total()
    if semantic.engine == "exact":
        return (semantic, {}) if total < MIN_VECTORS else None
    if total < MIN_VECTORS:
        return None
    index = read_index(before.file(FAISS_INDEX))
    changed = _measured(semantic, index, exact, _replace(index, exact, unindexed))
    if changed is None:
        return None
    file = folder / FAISS_INDEX
    digest = write_index(index, file)
    return changed, {identity(file): digest}


def train_anew(
    folder: Path, number: int, sentences: SentenceVectors, columns: FilterColumns
) -> SemanticSide:
    """Write all vectors into the piece of this number, and an index trained on them."""
    pieces = write_one_piece(folder, number, sentences)
    vectors = tuple(read_vectors(folder / piece_file(number)) for number in pieces.numbers)
    whole = SentenceVectors(vectors, pieces.firsts, sentences.counts)
    semantic, written = write_semantic(folder, whole, columns)
    return SemanticSide(semantic, pieces, written)


def _replace(index: "faiss.IndexIVF", exact: ExactEngine, unindexed: Unindexed) -> int:
    """Remove the sentences of outdated films, add those of new ones; return how many."""
    total = index.ntotal
    index.remove_ids(faiss.IDSelectorBatch(unindexed.outdated))
    removed = total - index.ntotal
    rows = unindexed.rows
    labels = np.repeat(exact.columns.ids[rows], exact.sentences.counts[rows])
    if len(labels):
        index.add_with_ids(exact.sentences.vectors(exact.sentences.sentence_rows(rows)), labels)
    if index.ntotal != exact.sentences.total():
        raise BuildFailed(
            f"the index holds {index.ntotal} sentences, the catalogue {exact.sentences.total()}: "
            "build the index again"
        )
    return int(removed) + len(labels)


def _measured(
    semantic: Semantic, index: "faiss.IndexIVF", exact: ExactEngine, rows: int
) -> Semantic | None:
    """Return how to open the changed index, None if it should be trained anew."""
    changed, total = semantic.changed + rows, exact.sentences.total()
    recall, measured = semantic.recall_at_10 or 0.0, semantic.changed_when_measured
    if changed > TRAINED_AFTER * total:
        return None
    if changed - measured > MEASURED_EVERY * total:
        engine = IvfPqEngine(index, semantic.nprobe or index.nlist, exact)
        # It may have been lower from the start.
        least = LEAST_RECALL if recall >= LEAST_RECALL else recall - LOST_RECALL
        recall = RecallProbes.of(exact).recall_at_10(engine)
        if recall < least:
            return None
        measured = changed
    return semantic.model_copy(
        update={"changed": changed, "changed_when_measured": measured, "recall_at_10": recall}
    )
