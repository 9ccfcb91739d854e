"""The whole write side: read, clean, cut, embed, write all stores, publish."""

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from hybrid.engines.lexical.writer_protocol import LexicalWriter
from hybrid.engines.semantic import encoder
from hybrid.errors import BuildFailed, GenerationUnusable
from hybrid.stopwatch import Stopwatch
from hybrid.storage import generation as files
from hybrid.storage.catalogue import Catalogue
from hybrid.storage.catalogue_writer import write_catalogue
from hybrid.storage.generation import (
    Generation,
    open_current,
    open_described,
    published,
    shared_digests,
)
from hybrid.storage.manifest import Counts, Manifest, ModelName, Semantic
from hybrid.storage.sentence_vectors import read_sentences
from indexer.embedding.cache import CACHE, count_build, note_leaving
from indexer.embedding.embed import EmbeddingStats, embed
from indexer.embedding.model import Model
from indexer.films.clean import CleanedFilms
from indexer.films.film_file import read_films
from indexer.films.sentences import all_texts, sentence_spans, sentence_texts
from indexer.generations.cleanup import recover, tidy
from indexer.generations.lock import deployment_id, writer_lock
from indexer.generations.manifest import CatalogueStats, catalogue_stats
from indexer.generations.publish import file_digests, publish
from indexer.generations.smoke_test import probe
from indexer.generations.staging import Digests, create_draft_folder, link, nothing_stays
from indexer.semantic_index.train import write_semantic
from indexer.update import changed_by_hand


@dataclass(frozen=True)
class BuildResult:
    """What a build did: the published manifest and how it came about.

    `discarded` counts the films that were changed by hand in the index before.
    """

    manifest: Manifest
    folder: Path
    embedded: EmbeddingStats
    cleaned: CleanedFilms
    seconds: dict[str, float]
    discarded: int
    warnings: list[str]


def build(
    source: Path,
    data: Path,
    model_name: str,
    model: Model,
    writer_in: Callable[[Path, str], LexicalWriter],
    mapping: Path | None = None,
    limit: int | None = None,
    quiet: bool = False,
    discard_changes: bool = False,
    name: str | None = None,
) -> BuildResult:
    """Index the films of `source` into a new generation of `data` and publish it.

    `model_name` is for the manifest; `writer_in` takes the generation's folder and the name of the
    deployment; `mapping` says what the columns of a file of your own are; `limit` is the number of
    records to read; `quiet` hides the progress bar; `discard_changes` allows to undo what was
    changed by hand; `name` is recorded instead of the file's own. Raises NotDurable where the build
    is published but may be lost in a power cut, another HybridError or OSError where it is not.
    """
    watch = Stopwatch()
    with writer_lock(data):
        recover(data)
        by_hand = _hand_changes(data)
        if by_hand and not discard_changes:
            raise BuildFailed(
                f"{changed_by_hand(by_hand)}, and a build starts anew: keep these changes with "
                "`python -m indexer update SOURCE --keep-changes`, or add --discard-changes"
            )
        with watch.stage("read"):
            read = read_films(source, limit, mapping, name)
            cleaned = read.cleaned
        folder = create_draft_folder(data)
        writer = writer_in(folder, deployment_id(data))
        with nothing_stays(folder, writer):
            writer.create()
            with watch.stage("sentences"):
                spans = [sentence_spans(movie.description or "") for movie in cleaned.movies]
                texts = [
                    text
                    for movie, film_spans in zip(cleaned.movies, spans, strict=True)
                    for text in sentence_texts(movie, film_spans)
                ]
            with watch.stage("embed"):
                before = _whole(data)
                cache, vectors_file = data / CACHE, folder / files.piece_file(0)
                if before:
                    _note_leaving(cache, before)
                count_build(cache)
                embedded = embed(texts, model, cache, vectors_file, quiet)
            with watch.stage("export model"):
                shared = _encoder(before, folder, model, texts)
            with watch.stage("catalogue"):
                write_catalogue(
                    folder / files.CATALOGUE, list(zip(cleaned.movies, spans, strict=True))
                )
                read.write_rejects(folder / files.REJECTS)
            with watch.stage("keyword"):
                writer.write(cleaned.movies)
            with watch.stage("semantic"):
                stores = _semantic(folder, len(cleaned.movies), embedded.texts)
            with watch.stage("publish"):
                manifest = Manifest(
                    name=folder.name.removesuffix(files.UNFINISHED),
                    created=datetime.now(UTC).isoformat(timespec="seconds"),
                    **read.described,
                    counts=Counts(**read.counts, **stores.held.counts),
                    ids_sha256=stores.held.ids_sha256,
                    model=ModelName(
                        name=model_name,
                        fingerprint=model.fingerprint,
                        dimension=stores.dimension,
                    ),
                    lexical=writer.manifest(),
                    semantic=stores.semantic,
                    pieces=(0,),
                    files=file_digests(folder, {**shared, **stores.written}),
                )
                probe(Generation(folder, manifest))
                final = publish(data, folder, manifest)
        with watch.stage("tidy"):
            warnings = tidy(data, writer)
    return BuildResult(manifest, final, embedded, cleaned, watch.seconds, by_hand, warnings)


def _hand_changes(data: Path) -> int:
    """Return how many films of the published index were changed by hand, 0 where it is unusable."""
    try:
        return open_described(data, published(data)[0]).manifest.counts.hand_changes
    except GenerationUnusable:
        return 0


def _whole(data: Path) -> Generation | None:
    """Return the published generation, None where there is none or it is damaged."""
    try:
        return open_current(data)
    except GenerationUnusable:
        return None


def _note_leaving(cache: Path, before: Generation) -> None:
    """Note in the cache that the sentences of the generation before were needed until now."""
    with closing(Catalogue(before.file(files.CATALOGUE))) as catalogue:
        texts = all_texts(catalogue.all_with_sentences())
        note_leaving(cache, before.manifest.model.fingerprint, texts)


def _encoder(
    before: Generation | None, folder: Path, model: Model, texts: Sequence[str]
) -> Digests:
    """Export the model, or link the export of the generation `before` if that is the same.

    Returns the digests of what was linked.
    """
    if before is None or before.manifest.model.fingerprint != model.fingerprint:
        model.export(folder / encoder.ENCODER_FOLDER, texts)
        return {}
    link(before.file(encoder.ENCODER_FOLDER), folder / encoder.ENCODER_FOLDER)
    return shared_digests(before)


@dataclass(frozen=True)
class _Stores:
    """What was read back of the catalogue and written beside it."""

    held: CatalogueStats
    dimension: int
    semantic: Semantic
    written: Digests


def _semantic(folder: Path, movies: int, sentences: int) -> _Stores:
    """Write the semantic store for the catalogue as it was written, read back."""
    with closing(Catalogue(folder / files.CATALOGUE)) as catalogue:
        vectors = read_sentences({0: folder / files.piece_file(0)}, catalogue.sentences)
        if len(catalogue) != movies or vectors.total() != sentences:
            raise BuildFailed(f"the catalogue in {folder} does not hold what was written to it")
        semantic, written = write_semantic(folder, vectors, catalogue.columns)
        dimension = vectors.pieces[0].shape[1]
        return _Stores(catalogue_stats(catalogue), dimension, semantic, written)
