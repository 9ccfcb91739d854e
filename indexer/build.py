"""The whole write side: read, clean, cut, embed, write all stores, publish."""

import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from hybrid import generation as files
from hybrid.encoder import Encoder, Vectors
from hybrid.engines.catalogue import Catalogue, write_catalogue
from hybrid.engines.exact import SentenceVectors
from hybrid.engines.protocols import LexicalWriter
from hybrid.errors import BuildFailed, EngineUnavailable
from hybrid.generation import Counts, FileDigest, Lexical, Manifest, Model, Semantic
from hybrid.movie import Movie
from hybrid.stopwatch import Stopwatch
from indexer import publish
from indexer.clean import Cleaned, clean
from indexer.embed import Embedded, embed
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
    model: str,
    encoder: Encoder,
    writer_for: Callable[[str, str], LexicalWriter],
    limit: int | None = None,
    quiet: bool = False,
) -> Built:
    """Index the films of `source` into a new generation of `data` and publish it.

    `model` names what `encoder` is, for the manifest; `writer_for` takes the names of the
    generation and of the deployment; `limit` is the number of records to read; `quiet` hides the
    progress bar. Raises a HybridError or OSError, and then leaves the published state as it was.
    """
    watch = Stopwatch()
    with publish.only_writer(data):
        with watch.stage("read"):
            cleaned = clean(read_source(source, limit))
        if not cleaned.movies:
            raise BuildFailed(f"{source} holds no film: {_first_rejects(cleaned)}")
        name = publish.next_name(data)
        writer = writer_for(name, publish.deployment_id(data))
        with _unfinished(data, name, writer) as folder:
            writer.create()
            with watch.stage("sentences"):
                spans = [sentence_spans(movie.description or "") for movie in cleaned.movies]
            with watch.stage("embed"):
                embedded = embed(
                    _texts(cleaned.movies, spans),
                    encoder,
                    data / EMBEDDING_CACHE,
                    folder / files.VECTORS,
                    quiet,
                )
            with watch.stage("catalogue"):
                write_catalogue(folder / files.CATALOGUE, zip(cleaned.movies, spans, strict=True))
                _write_rejects(folder / files.REJECTS, cleaned)
            with watch.stage("keyword"):
                writer.write(cleaned.movies)
            with watch.stage("semantic"):
                vectors = np.load(folder / files.VECTORS, mmap_mode="r")
                semantic = _semantic(folder, np.asarray(vectors), len(cleaned.movies))
            with watch.stage("publish"):
                manifest = Manifest(
                    name=name,
                    created=datetime.now(UTC).isoformat(timespec="seconds"),
                    source=source.name,
                    source_format=cleaned.format,
                    counts=_counts(cleaned, embedded),
                    model=Model(
                        name=model, fingerprint=encoder.fingerprint, dimension=vectors.shape[1]
                    ),
                    lexical=Lexical(engine="elasticsearch", index=writer.name),
                    semantic=semantic,
                    files={file.name: FileDigest.of(file) for file in sorted(folder.iterdir())},
                )
                final = publish.publish(data, folder, manifest)
        with watch.stage("tidy"):
            warnings = _tidy(data, writer)
    return Built(manifest, final, embedded, cleaned, watch.seconds, warnings)


@contextmanager
def _unfinished(data: Path, name: str, writer: LexicalWriter) -> Iterator[Path]:
    """Give a folder for the generation; whatever stops its making, nothing of it stays."""
    folder = publish.unfinished_folder(data, name)
    try:
        yield folder
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        # An index that cannot be removed now is collected by the next build.
        with suppress(EngineUnavailable):
            writer.discard()
        raise


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
