"""The whole write side: read, clean, cut, embed, write all stores, publish."""

import json
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from hybrid import encoder
from hybrid import generation as files
from hybrid.encoder import Vectors
from hybrid.engines.catalogue import Catalogue, write_catalogue
from hybrid.engines.exact import SentenceVectors, read_vectors
from hybrid.engines.protocols import LexicalWriter
from hybrid.errors import BuildFailed, EngineUnavailable, GenerationUnusable
from hybrid.generation import (
    Counts,
    FileDigest,
    Lexical,
    Manifest,
    ModelName,
    Semantic,
    open_current,
)
from hybrid.movie import Movie
from hybrid.stopwatch import Stopwatch
from indexer import publish
from indexer.clean import Cleaned, clean
from indexer.embed import Embedded, embed
from indexer.model import Model
from indexer.passages import Span, sentence_spans
from indexer.sources import read_source
from indexer.write import write_semantic

EMBEDDING_CACHE = "embeddings.sqlite"


@dataclass(frozen=True)
class Built:
    """What a build did: the published manifest and how it came about."""

    manifest: Manifest
    folder: Path
    embedded: Embedded
    cleaned: Cleaned
    seconds: dict[str, float]
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
) -> Built:
    """Index the films of `source` into a new generation of `data` and publish it.

    `model_name` is for the manifest; `writer_in` takes the generation's folder and the name of the
    deployment; `mapping` says what the columns of a file of your own are; `limit` is the number of
    records to read; `quiet` hides the progress bar. Raises a
    HybridError or OSError, and then leaves the published state as it was.
    """
    watch = Stopwatch()
    with publish.only_writer(data):
        with watch.stage("read"):
            cleaned = clean(read_source(source, limit, mapping))
            source_digest = FileDigest.of(source).sha256
        if not cleaned.movies:
            raise BuildFailed(f"{source} holds no film: {_first_rejects(cleaned)}")
        folder = publish.unfinished_folder(data)
        writer = writer_in(folder, publish.deployment_id(data))
        with _nothing_stays(folder, writer):
            writer.create()
            with watch.stage("sentences"):
                spans = [sentence_spans(movie.description or "") for movie in cleaned.movies]
                texts = _texts(cleaned.movies, spans)
            with watch.stage("embed"):
                cache, vectors_file = data / EMBEDDING_CACHE, folder / files.VECTORS
                embedded = embed(texts, model, cache, vectors_file, quiet)
            with watch.stage("export model"):
                _write_encoder(folder / encoder.FOLDER, data, model, texts)
            with watch.stage("catalogue"):
                write_catalogue(
                    folder / files.CATALOGUE, list(zip(cleaned.movies, spans, strict=True))
                )
                _write_rejects(folder / files.REJECTS, cleaned)
            with watch.stage("keyword"):
                writer.write(cleaned.movies)
            with watch.stage("semantic"):
                vectors = read_vectors(vectors_file)
                semantic = _semantic(folder, vectors, len(cleaned.movies))
            with watch.stage("publish"):
                manifest = Manifest(
                    name=folder.name.removesuffix(files.UNFINISHED),
                    created=datetime.now(UTC).isoformat(timespec="seconds"),
                    source=os.fsencode(source.name).decode("utf-8", "replace"),
                    source_sha256=source_digest,
                    source_format=cleaned.format,
                    counts=_counts(cleaned, embedded),
                    model=ModelName(
                        name=model_name,
                        fingerprint=model.fingerprint,
                        dimension=vectors.shape[1],
                    ),
                    lexical=Lexical(engine=writer.engine, index=writer.name),
                    semantic=semantic,
                    files=_digests(folder),
                )
                final = publish.publish(data, folder, manifest)
        with watch.stage("tidy"):
            warnings = _tidy(data, writer)
    return Built(manifest, final, embedded, cleaned, watch.seconds, warnings)


@contextmanager
def _nothing_stays(folder: Path, writer: LexicalWriter) -> Iterator[None]:
    """Remove what was written, whatever stops the making of a generation before it is published."""
    final = folder.with_name(folder.name.removesuffix(files.UNFINISHED))
    try:
        yield
    except BaseException:
        if files.current_name(folder.parents[1]) == final.name:
            raise  # what stops us after the commit must not undo it
        shutil.rmtree(folder, ignore_errors=True)
        shutil.rmtree(final, ignore_errors=True)
        # An index that cannot be removed now is collected by the next build.
        with suppress(EngineUnavailable):
            writer.discard()
        raise


def _write_encoder(folder: Path, data: Path, model: Model, texts: Sequence[str]) -> None:
    """Export the model, or link the export of the published generation if that is the same."""
    try:
        before = open_current(data)
    except GenerationUnusable:
        before = None
    if before is None or before.manifest.model.fingerprint != model.fingerprint:
        model.export(folder, texts)
        return
    folder.mkdir()
    for file in before.file(encoder.FOLDER).iterdir():
        (folder / file.name).hardlink_to(file)


def _digests(folder: Path) -> dict[str, FileDigest]:
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): FileDigest.of(path) for path in found}


def _texts(movies: Sequence[Movie], spans: Sequence[Sequence[Span]]) -> list[str]:
    return [
        (movie.description or "")[start:end]
        for movie, film_spans in zip(movies, spans, strict=True)
        for start, end in film_spans
    ]


def _semantic(folder: Path, vectors: Vectors, movies: int) -> Semantic:
    """Write the semantic store for the catalogue as it was written, read back."""
    with closing(Catalogue(folder / files.CATALOGUE)) as catalogue:
        if len(catalogue) != movies or catalogue.starts[-1] != len(vectors):
            raise BuildFailed(f"the catalogue in {folder} does not hold what was written to it")
        return write_semantic(folder, SentenceVectors(vectors, catalogue.starts), catalogue.columns)


def _counts(cleaned: Cleaned, embedded: Embedded) -> Counts:
    return Counts(
        records=cleaned.records,
        movies=len(cleaned.movies),
        rejected=len(cleaned.rejects),
        duplicates=cleaned.duplicates,
        blank=cleaned.blank,
        without_description=cleaned.without_description,
        without_year=cleaned.without_year,
        sentences=embedded.texts,
    )


def _write_rejects(file: Path, cleaned: Cleaned) -> None:
    lines = [json.dumps(asdict(reject), ensure_ascii=False) + "\n" for reject in cleaned.rejects]
    file.write_text("".join(lines), encoding="utf-8")


def _first_rejects(cleaned: Cleaned) -> str:
    if not cleaned.rejects:
        return "there is no record in it"
    return "; ".join(f"line {reject.line}: {reject.reason}" for reject in cleaned.rejects[:3])


def _tidy(data: Path, writer: LexicalWriter) -> list[str]:
    """Remove what is outdated. The generation is published: a failure here is only a warning."""
    try:
        return writer.published(publish.collect(data))
    except (EngineUnavailable, OSError) as error:
        return [f"old generations were not removed, the next build will: {error}"]
