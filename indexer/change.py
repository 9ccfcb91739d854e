"""Small generations: what changed is written, everything else is shared with the one before."""

from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from hybrid.engines.factory import open_sentences
from hybrid.engines.lexical.writer_protocol import Base
from hybrid.monitoring.stopwatch import Stopwatch
from hybrid.movie import Movie
from hybrid.ranking import Ids
from hybrid.storage.catalogue import Catalogue, CatalogueFilm
from hybrid.storage.catalogue_changes import FilmRows, change_catalogue
from hybrid.storage.generation import CATALOGUE, REJECTS, piece_file, shared_digests
from hybrid.storage.manifest import Manifest
from indexer.backends import Backends
from indexer.embedding.cache import CACHE, count_build, note_leaving
from indexer.embedding.embed import EmbeddingStats, embed
from indexer.films.sentences import all_texts, cut
from indexer.generations.draft import Draft, draft_generation
from indexer.generations.manifest import CatalogueStats, Stores, catalogue_stats, change_manifest
from indexer.query_encoder import compared, share_or_export
from indexer.semantic_index.update import SemanticSide, change_semantic
from indexer.semantic_index.vector_files import live_rows, plan

if TYPE_CHECKING:
    # Reading files of films takes long to import, and is not installed for serving alone.
    from indexer.films.film_file import SourceFile

NO_EMBEDDING = EmbeddingStats(0, 0, 0)


@dataclass(frozen=True)
class Changes:
    """The changes of a catalogue: `films` are new or have new content, `gone` are the ids of films
    to be removed. Both are sorted by id.

    A change that follows a source has in `kept` the films changed by hand that stay as they are,
    each as the source has it, or None if the source does not have it. Without `kept` the change is
    one by hand.
    """

    films: tuple[Movie, ...]
    gone: tuple[int, ...]
    kept: Mapping[int, Movie | None] | None = None

    @property
    def outdated(self) -> Ids:
        """The ids of all films that are added, replaced or removed, int64 (n,), sorted."""
        return np.array(sorted([*self.gone, *(movie.id for movie in self.films)]), np.int64)


@dataclass(frozen=True)
class ChangeResult:
    """The manifest that is published now, what was embedded for it, and warnings for the user."""

    manifest: Manifest
    embedded: EmbeddingStats
    warnings: list[str]


def publish_change(
    data: Path,
    base: Base,
    changes: Changes,
    backends: Backends,
    watch: Stopwatch,
    source: "SourceFile | None",
) -> ChangeResult:
    """Publish `base` with these changes; `source` is the file that it follows from now on.

    The caller holds the lock. Raises like `draft_generation` and `Draft.commit`.
    """
    before = base.generation
    writer_in = partial(backends.writer_in, before.manifest.lexical.engine)
    with draft_generation(data, writer_in, base) as draft:
        with watch.stage("share"):
            draft.copy_catalogue(before)
            _share_rejects(draft, base, source)
        with watch.stage("model"):
            model = share_or_export(draft, base, backends.encoder)
        with watch.stage("embed"):
            _note_uses(draft, base, changes, is_build=source is not None)
            piece = _write_piece(draft, base, changes, backends)
        with watch.stage("catalogue"):
            piece.write_rows(draft.file(CATALOGUE), changes)
        with watch.stage("semantic"):
            stats, side = _change_semantic(draft, base, changes, piece.pieces)
        # Last, as readers see changes of an index that generations share at once.
        with watch.stage("keyword"):
            lexical = draft.writer.write(changes.films, changes.gone, stats.movies)
        with watch.stage("publish"):
            model = compared(model, before.manifest.model, draft.folder, side.pieces)
            stores = Stores(stats, lexical, side)
            manifest = change_manifest(draft.name, before.manifest, source, stores)
            manifest = manifest.model_copy(update={"model": model})
            generation = draft.commit(manifest, {**shared_digests(before), **side.written})
    with watch.stage("tidy"):
        warnings = draft.tidy()
    return ChangeResult(generation.manifest, piece.embedded, warnings)


def _share_rejects(draft: Draft, base: Base, source: "SourceFile | None") -> None:
    if source:
        source.write_rejects(draft.file(REJECTS))
    else:
        draft.link(base.generation, REJECTS)


def _note_uses(draft: Draft, base: Base, changes: Changes, is_build: bool) -> None:
    """Note in the cache that the sentences of outdated films were needed until now."""
    leaving = all_texts(base.catalogue.some_with_sentences(changes.outdated.tolist()))
    note_leaving(draft.data / CACHE, base.generation.manifest.model.fingerprint, leaving)
    if is_build:
        count_build(draft.data / CACHE)


def _change_semantic(
    draft: Draft, base: Base, changes: Changes, pieces: tuple[int, ...]
) -> tuple[CatalogueStats, SemanticSide]:
    """Write the semantic index for the changed catalogue; return the figures of both."""
    new = np.array([movie.id for movie in changes.films], np.int64)
    with closing(Catalogue(draft.file(CATALOGUE))) as catalogue:
        stats = catalogue_stats(catalogue)
        side = change_semantic(
            draft.folder, base.generation, catalogue, pieces, changes.outdated, new
        )
    return stats, side


@dataclass(frozen=True)
class _Piece:
    """The vectors of a change: the number of their file, whose they are, and all files there are.

    `moved` has the films that did not change, with their first rows in the new file.
    """

    number: int
    films: list[FilmRows]
    moved: Mapping[int, int]
    pieces: tuple[int, ...]
    embedded: EmbeddingStats

    def write_rows(self, catalogue: Path, changes: Changes) -> None:
        """Change the films of a catalogue, and the rows of their vectors."""
        change_catalogue(catalogue, self.films, changes.gone, self.moved, self.number, changes.kept)


def _write_piece(draft: Draft, base: Base, changes: Changes, backends: Backends) -> _Piece:
    """Embed the films that changed; link the vectors of the others, or move them as well."""
    films = cut(changes.films)
    texts = list(all_texts(films))
    columns, sentences = base.catalogue.columns, base.catalogue.sentences
    staying = ~np.isin(columns.ids, changes.outdated)
    pieces = plan(base.generation.manifest.pieces, live_rows(sentences, staying), len(texts))
    moving = np.flatnonzero(
        staying & (sentences.counts > 0) & np.isin(sentences.pieces, pieces.absorbed)
    )
    for number in pieces.kept:
        draft.link(base.generation, piece_file(number))
    embedded = NO_EMBEDDING
    if texts:
        vectors = open_sentences(base.generation, base.catalogue)
        embedded = embed(
            texts,
            backends.model_of(base.generation),
            draft.data / CACHE,
            draft.file(piece_file(pieces.number)),
            backends.quiet,
            vectors.vectors(vectors.sentence_rows(moving)),
        )
    counts = sentences.counts[moving]
    rows = len(texts) + np.cumsum(counts) - counts
    return _Piece(
        number=pieces.number,
        films=_with_rows(films),
        moved=dict(zip(columns.ids[moving].tolist(), rows.tolist(), strict=True)),
        pieces=(*pieces.kept, pieces.number) if texts else pieces.kept,
        embedded=embedded,
    )


def _with_rows(films: Iterable[CatalogueFilm]) -> list[FilmRows]:
    """Return the films with the first row of each, where their sentences follow each other."""
    rows, row = [], 0
    for film in films:
        rows.append(FilmRows(film.movie, film.spans, row))
        row += len(film.spans)
    return rows
