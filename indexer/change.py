"""Small generations: what changed is written, everything else is shared with the one before."""

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from hybrid.engines.factory import open_sentences
from hybrid.movie import Movie
from hybrid.ranking import Ids
from hybrid.stopwatch import Stopwatch
from hybrid.storage import generation as files
from hybrid.storage.catalogue import Catalogue
from hybrid.storage.catalogue_changes import FilmRows, change_catalogue
from hybrid.storage.generation import Generation, piece_file, shared_digests
from hybrid.storage.manifest import Manifest
from indexer.backends import Backends
from indexer.embedding.cache import CACHE, count_build, note_leaving
from indexer.embedding.embed import EmbeddingStats, ExportedModel, embed
from indexer.films.sentences import all_texts, sentence_spans, sentence_texts
from indexer.generations.cleanup import tidy
from indexer.generations.lock import deployment_id
from indexer.generations.manifest import catalogue_stats
from indexer.generations.publish import file_digests, publish
from indexer.generations.smoke_test import probe
from indexer.generations.staging import create_draft_folder, link, nothing_stays, share
from indexer.semantic_index.update import change_semantic
from indexer.semantic_index.vector_files import live_rows, plan

if TYPE_CHECKING:
    # What reads files takes long to import, and is not there where films are only served.
    from indexer.films.film_file import SourceFile
from indexer.generations.manifest import described


@dataclass(frozen=True)
class Changes:
    """What becomes of a catalogue: `films` are new or have new content, `gone` are the ids of those
    that leave it. Both by id.

    A change that follows a source has in `kept` the films changed by hand that stay as they are,
    each as the source has it, None where it does not. Without it the change is by hand.
    """

    films: tuple[Movie, ...]
    gone: tuple[int, ...]
    kept: Mapping[int, Movie | None] | None = None

    @property
    def outdated(self) -> Ids:
        """The ids of all films that are not what they were."""
        return np.array(sorted([*self.gone, *(movie.id for movie in self.films)]), np.int64)


@dataclass(frozen=True)
class Made:
    """The generation that was published."""

    manifest: Manifest
    embedded: EmbeddingStats
    warnings: list[str]


def make(
    data: Path,
    before: Generation,
    catalogue: Catalogue,
    changes: Changes,
    tools: Backends,
    watch: Stopwatch,
    source: "SourceFile | None",
) -> Made:
    """Publish `before`, whose `catalogue` is open, with these changes. The caller has the lock."""
    folder = create_draft_folder(data)
    engine = before.manifest.lexical.engine
    writer = tools.writer_in(engine, folder, deployment_id(data))
    with nothing_stays(folder, writer):
        writer.mend(before, catalogue)  # first, as it refuses an index that is not ours
        with watch.stage("share"):
            share(before, folder)
            if source:
                source.write_rejects(folder / files.REJECTS)
            else:
                link(before.file(files.REJECTS), folder / files.REJECTS)
        with watch.stage("embed"):
            leaving = all_texts(catalogue.some_with_sentences(changes.outdated.tolist()))
            fingerprint = before.manifest.model.fingerprint
            note_leaving(data / CACHE, fingerprint, leaving)
            if source:
                count_build(data / CACHE)
            piece = _write_piece(data, folder, before, catalogue, changes, tools)
        with watch.stage("catalogue"):
            change_catalogue(
                folder / files.CATALOGUE,
                piece.films,
                changes.gone,
                piece.moved,
                piece.number,
                changes.kept,
            )
        with watch.stage("semantic"), closing(Catalogue(folder / files.CATALOGUE)) as after:
            held = catalogue_stats(after)
            new = np.array([movie.id for movie in changes.films], np.int64)
            side = change_semantic(folder, before, after, piece.pieces, changes.outdated, new)
        # Last, as the readers of an index that generations share see it at once.
        with watch.stage("keyword"):
            writer.take_over(before)
            writer.change(changes.films, changes.gone, held.movies)
        with watch.stage("publish"):
            digests = file_digests(folder, {**shared_digests(before), **side.written})
            manifest = described(folder, before, held, writer, side, source, digests)
            probe(Generation(folder, manifest))
            publish(data, folder, manifest)
    with watch.stage("tidy"):
        warnings = tidy(data, writer)
    return Made(manifest, piece.embedded, warnings)


@dataclass(frozen=True)
class _Piece:
    """The vectors of a change: the file they lie in, whose they are, and all files there are now.

    `moved` are films that did not change, with their first rows in the new file.
    """

    number: int
    films: list[FilmRows]
    moved: Mapping[int, int]
    pieces: tuple[int, ...]
    embedded: EmbeddingStats


def _write_piece(
    data: Path,
    folder: Path,
    before: Generation,
    catalogue: Catalogue,
    changes: Changes,
    tools: Backends,
) -> _Piece:
    """Embed the films that changed, and link the vectors of the others or write them again."""
    spans = [sentence_spans(movie.description or "") for movie in changes.films]
    pairs = list(zip(changes.films, spans, strict=True))
    texts = [text for movie, film_spans in pairs for text in sentence_texts(movie, film_spans)]
    columns, places = catalogue.columns, catalogue.sentences
    staying = ~np.isin(columns.ids, changes.outdated)
    chosen = plan(before.manifest.pieces, live_rows(places, staying), len(texts))
    moving = np.flatnonzero(staying & (places.counts > 0) & np.isin(places.pieces, chosen.absorbed))
    for number in chosen.kept:
        link(before.file(piece_file(number)), folder / piece_file(number))
    embedded, pieces = EmbeddingStats(0, 0, 0), chosen.kept
    if texts:
        sentences = open_sentences(before, catalogue)
        embedded = embed(
            texts,
            ExportedModel(before.manifest.model.fingerprint, tools.encoder_of(before)),
            data / CACHE,
            folder / piece_file(chosen.number),
            tools.quiet,
            sentences.vectors(sentences.sentence_rows(moving)),
        )
        pieces = (*chosen.kept, chosen.number)
    starts = np.cumsum([0, *map(len, spans)]).tolist()
    moved = len(texts) + np.cumsum(places.counts[moving]) - places.counts[moving]
    return _Piece(
        number=chosen.number,
        films=[FilmRows(*pair, start) for pair, start in zip(pairs, starts, strict=False)],
        moved=dict(zip(columns.ids[moving].tolist(), moved.tolist(), strict=True)),
        pieces=pieces,
        embedded=embedded,
    )
