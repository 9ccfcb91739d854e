"""Small generations: the delta is written, everything else is shared with the one before."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from hybrid.engines.lexical.writer_protocol import Previous
from hybrid.monitoring.stopwatch import Stopwatch
from hybrid.movie import Movie
from hybrid.ranking import Ids
from hybrid.storage.catalogue import Catalogue, CatalogueFilm
from hybrid.storage.catalogue_changes import change_catalogue
from hybrid.storage.generation import DELTA_VECTORS, RECORDS, REJECTS, shared_digests
from hybrid.storage.manifest import Delta, Manifest
from indexer.backends import Backends
from indexer.embedding.cache import CACHE, count_build, note_leaving
from indexer.embedding.embed import NO_EMBEDDING, EmbeddingStats, embed
from indexer.films.sentences import all_texts, cut
from indexer.generations.draft import Draft, draft_generation
from indexer.generations.manifest import (
    BaseStore,
    CatalogueStats,
    Stores,
    change_manifest,
    changed_stats,
    delta_stats,
)
from indexer.generations.publish import Digests
from indexer.known_records import SourceRecords
from indexer.merge import most_changes, replace_base
from indexer.query_encoder import compared, share_or_export
from indexer.semantic_index.vector_files import FilmVectors, write_delta

if TYPE_CHECKING:
    # Reading files of films takes long to import, and is not installed for serving alone.
    from indexer.films.film_file import SourceFile

EMBEDDED = "embedded.npy"
"""The vectors that were embedded for a change, until they are in the delta."""


@dataclass(frozen=True)
class Changes:
    """The changes of a catalogue: `films` are new or have new content, `gone` are the ids of films
    to be removed. Both are sorted by id.

    A change that follows a source has in `kept` the films changed by hand that stay as they are,
    each as the source has it, or None if the source does not have it. Without `kept` the change is
    one by hand; `records` are those of the source.
    """

    films: tuple[Movie, ...]
    gone: tuple[int, ...]
    kept: Mapping[int, Movie | None] | None = None
    records: SourceRecords | None = None

    @property
    def outdated(self) -> Ids:
        """The ids of all films that are added, replaced or removed, int64 (n,), sorted."""
        return np.array(sorted([*self.gone, *(movie.id for movie in self.films)]), np.int64)


@dataclass(frozen=True)
class Publication:
    """The manifest that is published now, and what was embedded for it.

    `tidy` removes what is outdated, before the lock is released, and returns warnings.
    """

    manifest: Manifest
    embedded: EmbeddingStats
    tidy: Callable[[], list[str]]


def publish_change(
    data: Path,
    previous: Previous,
    changes: Changes,
    backends: Backends,
    watch: Stopwatch,
    source: "SourceFile | None",
) -> Publication:
    """Publish `previous` with these changes; `source` is the file that it follows from now on.

    The delta is written again, and merged into a new base if there are very many changes. The
    caller holds the lock. Raises like `draft_generation` and `Draft.commit`.
    """
    before = previous.generation
    writer_in = partial(backends.writer_in, before.manifest.lexical.engine)
    with draft_generation(data, writer_in, previous) as draft:
        with watch.stage("share"):
            draft.share_base(before)
            _share_source(draft, previous, changes, source)
        with watch.stage("model"):
            models = share_or_export(draft, previous, backends.encoder)
        films = cut(changes.films)
        with watch.stage("embed"):
            _note_uses(draft, previous, changes, is_build=source is not None)
            embedded = _embed(draft, previous, films, backends)
        with watch.stage("catalogue"):
            change_catalogue(draft.folder, films, changes.gone, changes.kept)
            _write_vectors(draft, previous, films)
        with watch.stage("semantic"):
            base, written = _base(draft, before.manifest, changes)
            stats, delta = _figures(draft, previous, changes)
        # Last, as readers see changes of an index that generations share at once.
        with watch.stage("keyword"):
            lexical = draft.writer.write(changes.films, changes.gone, stats.movies)
        with watch.stage("publish"):
            models = compared(models, before.manifest.model, draft.folder, base.pieces)
            stores = Stores(stats, delta, base, lexical)
            manifest = change_manifest(draft.name, before.manifest, source, stores)
            used = {"model": models[0], "beside": models[1:]}
            manifest = manifest.model_copy(update=used)
            generation = draft.commit(manifest, {**shared_digests(before), **written})
    return Publication(generation.manifest, embedded, draft.tidy)


def _share_source(
    draft: Draft, previous: Previous, changes: Changes, source: "SourceFile | None"
) -> None:
    """Write what became of the records of the source, or share it if there is none."""
    if source and changes.records:
        source.write_rejects(draft.file(REJECTS))
        changes.records.write(draft.file(RECORDS))
    else:
        draft.link(previous.generation, REJECTS)
        draft.share(previous.generation, RECORDS)


def _note_uses(draft: Draft, previous: Previous, changes: Changes, is_build: bool) -> None:
    """Note in the cache that the sentences of outdated films were needed until now."""
    leaving = list(all_texts(previous.catalogue.some_with_sentences(changes.outdated.tolist())))
    for model in previous.generation.manifest.models if leaving else ():
        note_leaving(draft.data / CACHE, model.fingerprint, leaving)
    if is_build:
        count_build(draft.data / CACHE)


def _embed(
    draft: Draft, previous: Previous, films: Sequence[CatalogueFilm], backends: Backends
) -> EmbeddingStats:
    """Write the vectors of the sentences of films, film after film."""
    texts = list(all_texts(films))
    if not texts:
        return NO_EMBEDDING
    models = backends.models_of(previous.generation)
    return embed(texts, models, draft.data / CACHE, draft.file(EMBEDDED), backends.quiet)


def _write_vectors(draft: Draft, previous: Previous, films: Sequence[CatalogueFilm]) -> None:
    """Write the vectors of the delta: those that were embedded now, and of the delta before."""
    ids = np.array([film.movie.id for film in films], np.int64)
    counts = np.array([len(film.spans) for film in films], np.int64)
    new = FilmVectors(ids, counts, draft.file(EMBEDDED))
    delta = previous.catalogue.delta
    old = FilmVectors(delta.ids, delta.counts, previous.generation.file(DELTA_VECTORS))
    with closing(Catalogue(draft.folder)) as catalogue:
        write_delta(draft.file(DELTA_VECTORS), catalogue.delta.ids, old, new)
    new.file.unlink(missing_ok=True)


def _base(draft: Draft, before: Manifest, changes: Changes) -> tuple[BaseStore, Digests]:
    """Return the base: that of the generation before, unless the changes are very many."""
    if len(changes.outdated) <= most_changes(before.counts.movies):
        return BaseStore.of(before), {}
    return replace_base(draft.folder, before)


def _figures(draft: Draft, previous: Previous, changes: Changes) -> tuple[CatalogueStats, Delta]:
    """Return the figures of the catalogue of a draft, and of its delta."""
    before, changed = previous.generation.manifest.counts, changes.outdated.tolist()
    with closing(Catalogue(draft.folder)) as catalogue:
        stats = changed_stats(before, previous.catalogue, catalogue, changed)
        return stats, delta_stats(catalogue)
