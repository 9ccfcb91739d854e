"""Small generations: what changed is written, everything else is shared with the one before."""

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from hybrid import generation as files
from hybrid.engines.catalogue import Catalogue
from hybrid.engines.catalogue_changes import PlacedFilm, change_catalogue
from hybrid.engines.protocols import LexicalWriter
from hybrid.generation import (
    UNFINISHED,
    Counts,
    Generation,
    Manifest,
    piece_file,
    shared_digests,
)
from hybrid.movie import Movie
from hybrid.ranking import Ids
from hybrid.stopwatch import Stopwatch
from hybrid.wiring import open_sentences
from indexer import publish
from indexer.embed import CACHE, Embedded, Exported, count_build, embed, note_leaving
from indexer.held import Held, held_by
from indexer.passages import all_texts, sentence_spans, sentence_texts
from indexer.pieces import live_rows, plan
from indexer.probe import probe
from indexer.semantic import SemanticSide, change_semantic
from indexer.tools import Tools

if TYPE_CHECKING:
    # What reads files takes long to import, and is not there where films are only served.
    from indexer.source_file import SourceFile


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
    embedded: Embedded
    warnings: list[str]


def make(
    data: Path,
    before: Generation,
    catalogue: Catalogue,
    changes: Changes,
    tools: Tools,
    watch: Stopwatch,
    source: "SourceFile | None",
) -> Made:
    """Publish `before`, whose `catalogue` is open, with these changes. The caller has the lock."""
    folder = publish.unfinished_folder(data)
    engine = before.manifest.lexical.engine
    writer = tools.writer_in(engine, folder, publish.deployment_id(data))
    with publish.nothing_stays(folder, writer):
        writer.mend(before, catalogue)  # first, as it refuses an index that is not ours
        with watch.stage("share"):
            publish.share(before, folder)
            if source:
                source.write_rejects(folder / files.REJECTS)
            else:
                publish.link(before.file(files.REJECTS), folder / files.REJECTS)
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
            held = held_by(after)
            new = np.array([movie.id for movie in changes.films], np.int64)
            side = change_semantic(folder, before, after, piece.pieces, changes.outdated, new)
        # Last, as the readers of an index that generations share see it at once.
        with watch.stage("keyword"):
            writer.take_over(before)
            writer.change(changes.films, changes.gone, held.movies)
        with watch.stage("publish"):
            digests = publish.digests(folder, {**shared_digests(before), **side.written})
            manifest = described(folder, before, held, writer, side, source, digests)
            probe(Generation(folder, manifest))
            publish.publish(data, folder, manifest)
    with watch.stage("tidy"):
        warnings = publish.tidy(data, writer)
    return Made(manifest, piece.embedded, warnings)


@dataclass(frozen=True)
class _Piece:
    """The vectors of a change: the file they lie in, whose they are, and all files there are now.

    `moved` are films that did not change, with their first rows in the new file.
    """

    number: int
    films: list[PlacedFilm]
    moved: Mapping[int, int]
    pieces: tuple[int, ...]
    embedded: Embedded


def _write_piece(
    data: Path,
    folder: Path,
    before: Generation,
    catalogue: Catalogue,
    changes: Changes,
    tools: Tools,
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
        publish.link(before.file(piece_file(number)), folder / piece_file(number))
    embedded, pieces = Embedded(0, 0, 0), chosen.kept
    if texts:
        sentences = open_sentences(before, catalogue)
        embedded = embed(
            texts,
            Exported(before.manifest.model.fingerprint, tools.encoder_of(before)),
            data / CACHE,
            folder / piece_file(chosen.number),
            tools.quiet,
            sentences.vectors(sentences.rows(moving)),
        )
        pieces = (*chosen.kept, chosen.number)
    starts = np.cumsum([0, *map(len, spans)]).tolist()
    moved = len(texts) + np.cumsum(places.counts[moving]) - places.counts[moving]
    return _Piece(
        number=chosen.number,
        films=[PlacedFilm(*pair, start) for pair, start in zip(pairs, starts, strict=False)],
        moved=dict(zip(columns.ids[moving].tolist(), moved.tolist(), strict=True)),
        pieces=pieces,
        embedded=embedded,
    )


def described(
    folder: Path,
    before: Generation,
    held: Held,
    writer: LexicalWriter,
    side: SemanticSide,
    source: "SourceFile | None",
    digests: dict[str, files.FileDigest],
) -> Manifest:
    """Return the manifest of the generation in `folder`, which changes `before`."""
    counts = before.manifest.counts.model_dump() | held.counts
    return before.manifest.model_copy(
        update=(source.described if source else {})
        | {
            "name": folder.name.removesuffix(UNFINISHED),
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            "base": before.manifest.name,
            "counts": Counts(**(counts | (source.counts if source else {}))),
            "ids_sha256": held.ids_sha256,
            "lexical": writer.manifest(),
            "semantic": side.semantic,
            "pieces": side.pieces,
            "files": digests,
        }
    )
