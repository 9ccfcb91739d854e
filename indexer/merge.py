"""A new base: what was in base and delta of a generation, merged."""

from contextlib import closing
from pathlib import Path

from hybrid.engines.factory import open_sentences, unindexed
from hybrid.engines.semantic.exact import ExactEngine
from hybrid.retrieval.duplicates import write_duplicates
from hybrid.retrieval.suggestions import write_suggestions
from hybrid.retrieval.titles import write_titles
from hybrid.storage.base_columns import BaseColumns
from hybrid.storage.catalogue import Catalogue
from hybrid.storage.catalogue_writer import merge_catalogue
from hybrid.storage.filter_columns import ids_sha256
from hybrid.storage.generation import COLUMNS, DELTA, DELTA_VECTORS, Generation, base_files
from hybrid.storage.manifest import Manifest
from indexer.generations.manifest import BaseStore
from indexer.generations.publish import Digests
from indexer.semantic_index.update import SemanticSide, change_index, train_anew
from indexer.semantic_index.vector_files import merge_pieces

LEAST, SHARE, MOST = 256, 0.01, 2048
"""A delta is merged when it has more changes than this share of the films, but at least LEAST and
at most MOST: each query scans the delta, and each change writes all of it."""


def is_due(manifest: Manifest) -> bool:
    """Whether the delta of a generation should be merged into a new base."""
    changes = manifest.delta.films + manifest.delta.outdated
    return changes > most_changes(manifest.counts.movies)


def most_changes(films: int) -> int:
    """Return how many changes a delta may hold of an index of so many films."""
    return min(max(LEAST, int(SHARE * films)), MOST)


def write_base(source: Generation, folder: Path) -> tuple[BaseStore, Digests]:
    """Write a base of the films of `source` into an empty folder, and an empty delta.

    Returns what the manifest says of it, and digests of its files that are known. Raises
    BuildFailed or OSError if it cannot be written.
    """
    with closing(Catalogue(source.folder)) as catalogue:
        side = _write_vectors(source, folder, catalogue)
        merge_catalogue(source.folder, folder)
        base = BaseStore(ids_sha256(catalogue.columns.ids), side.semantic, side.pieces.numbers)
        counts = catalogue.sentences.counts
    with closing(Catalogue(folder)) as merged:
        BaseColumns(merged.columns_of(), side.pieces.firsts, counts).write(folder / COLUMNS)
        write_titles(merged)
        write_duplicates(merged)
        write_suggestions(merged)
    return base, side.written


def _write_vectors(source: Generation, folder: Path, catalogue: Catalogue) -> SemanticSide:
    sentences = open_sentences(source, catalogue)
    exact = ExactEngine(sentences, catalogue.columns)
    pieces = source.manifest.pieces
    changed = change_index(folder, source, exact, unindexed(catalogue))
    if changed is None:
        return train_anew(folder, max(pieces, default=-1) + 1, sentences, catalogue.columns)
    is_delta = catalogue.sentences.is_delta
    merged = merge_pieces(source.folder, folder, pieces, sentences, is_delta)
    return SemanticSide(changed[0], merged, changed[1])


def replace_base(folder: Path, manifest: Manifest) -> tuple[BaseStore, Digests]:
    """Merge the delta of an unpublished generation into a new base, in its place.

    Returns and raises like `write_base`.
    """
    new = folder / "new"
    new.mkdir()
    base, written = write_base(Generation(folder, manifest), new)
    for name in (*base_files(manifest.pieces), DELTA, DELTA_VECTORS):
        (folder / name).unlink(missing_ok=True)
    for file in new.iterdir():
        file.rename(folder / file.name)
    new.rmdir()
    return base, written
