"""The semantic side of a changed catalogue: the index changed in a copy, or trained anew."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import faiss
import numpy as np

from hybrid.engines.semantic.exact import ExactEngine
from hybrid.engines.semantic.ivfpq import MIN_VECTORS, IvfPqEngine, read_index, write_index
from hybrid.errors import BuildFailed
from hybrid.ranking import Ids
from hybrid.storage.catalogue import Catalogue
from hybrid.storage.catalogue_changes import move
from hybrid.storage.catalogue_writer import writing
from hybrid.storage.generation import CATALOGUE, FAISS_INDEX, Generation, piece_file
from hybrid.storage.manifest import Semantic, identity
from hybrid.storage.sentence_vectors import SentenceVectors, read_sentences
from hybrid.vectors import Vectors
from indexer.generations.publish import Digests
from indexer.semantic_index.recall import RecallProbes
from indexer.semantic_index.train import write_semantic
from indexer.semantic_index.vector_files import write_npy

LEAST_RECALL = 0.99
"""An index whose measured recall@10 falls below this is trained anew."""

MEASURED_EVERY = 0.05
"""The recall is measured again when this share of the sentences was added or removed."""

TRAINED_AFTER = 0.5
"""At this share the index is trained anew, and vectors of removed films are dropped."""

BLOCK = 10_000
"""Sentences copied at once."""


@dataclass(frozen=True)
class SemanticSide:
    """How to open the semantic index, the pieces of the vectors, and digests of written files."""

    semantic: Semantic
    pieces: tuple[int, ...]
    written: Digests


def change_semantic(
    folder: Path,
    before: Generation,
    catalogue: Catalogue,
    pieces: tuple[int, ...],
    outdated: Ids,
    new: Ids,
) -> SemanticSide:
    """Write the index of the `catalogue` in `folder`, whose sentences lie in its `pieces`.

    `outdated` are the ids of films that were removed or changed since `before`, `new` those that
    were added or changed, int64 (n,). If the index is trained anew, the rows that `catalogue` has
    read are outdated afterwards.
    """
    exact = ExactEngine(_sentences(folder, catalogue, pieces), catalogue.columns)
    semantic = before.manifest.semantic
    if semantic.engine == "exact":
        if exact.sentences.total() < MIN_VECTORS:
            return SemanticSide(semantic, pieces, {})
    else:
        index = read_index(before.file(FAISS_INDEX))
        rows = _replace(index, exact, outdated, new)
        changed = _measured(semantic, index, exact, rows)
        if changed:
            file = folder / FAISS_INDEX
            digest = write_index(index, file)
            return SemanticSide(changed, pieces, {identity(file): digest})
    return train_anew(folder, pieces)


def train_anew(folder: Path, pieces: tuple[int, ...]) -> SemanticSide:
    """Write all vectors into one piece, in the order of ids, and an index trained on them."""
    number = max(pieces, default=-1) + 1
    with closing(Catalogue(folder / CATALOGUE)) as catalogue:
        sentences, columns = _sentences(folder, catalogue, pieces), catalogue.columns
        if sentences.pieces:
            write_npy(folder / piece_file(number), sentences.total(), _in_order(sentences), None)
    ordered = np.cumsum(sentences.counts) - sentences.counts
    with writing(folder / CATALOGUE) as connection:
        move(connection, dict(zip(columns.ids.tolist(), ordered.tolist(), strict=True)), number)
    for piece in pieces:
        (folder / piece_file(piece)).unlink()
    now = (number,) if sentences.pieces else ()
    with closing(Catalogue(folder / CATALOGUE)) as catalogue:
        semantic, written = write_semantic(
            folder, _sentences(folder, catalogue, now), catalogue.columns
        )
    return SemanticSide(semantic, now, written)


def _sentences(folder: Path, catalogue: Catalogue, pieces: tuple[int, ...]) -> SentenceVectors:
    files = {number: folder / piece_file(number) for number in pieces}
    return read_sentences(files, catalogue.sentences)


def _in_order(sentences: SentenceVectors) -> Iterator[Vectors]:
    rows = sentences.sentence_rows(np.arange(len(sentences.counts)))
    for start in range(0, max(len(rows), 1), BLOCK):
        yield sentences.vectors(rows[start : start + BLOCK])


def _replace(index: "faiss.IndexIVF", exact: ExactEngine, outdated: Ids, new: Ids) -> int:
    """Remove the sentences of `outdated` films, add those of `new` ones; return how many."""
    total = index.ntotal
    index.remove_ids(faiss.IDSelectorBatch(outdated))
    removed = total - index.ntotal
    rows = exact.columns.rows_of(new)
    labels = np.repeat(new, exact.sentences.counts[rows])
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
        least = min(LEAST_RECALL, recall)  # it may have been lower from the start
        recall = RecallProbes.of(exact).recall_at_10(engine)
        if recall < least:
            return None
        measured = changed
    return semantic.model_copy(
        update={"changed": changed, "changed_when_measured": measured, "recall_at_10": recall}
    )
