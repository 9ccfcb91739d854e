"""Generations of the real stores, but for the model: small ones are built in a blink."""

import json
from collections.abc import Iterable, Sequence
from io import BytesIO
from pathlib import Path

import numpy as np

from hybrid.engines.factory import open_semantic
from hybrid.engines.lexical import tantivy
from hybrid.engines.lexical.tantivy import TantivyEngine
from hybrid.engines.lexical.tantivy_writer import TantivyWriter
from hybrid.engines.protocols import Engines
from hybrid.fusion.preferences import Preferences
from hybrid.movie import Movie
from hybrid.search import HybridSearch
from hybrid.serving.watcher import GenerationWatcher
from hybrid.storage.catalogue import Catalogue
from hybrid.storage.generation import Generation
from indexer.backends import Backends
from indexer.build import BuildOptions, BuildResult, build
from indexer.films.clean import new_row
from indexer.films.film_spool import FilmSpool
from indexer.group_commit import GroupCommit
from indexer.known_records import table_of
from indexer.update import HandChanges, UpdateResult, change, delete, match_source, upsert
from tests.fakes import HashingEncoder

BUILT_IN = Preferences()

FIELDS = (
    "id title year genres description cast countries languages directors rating votes "
    "duration_minutes"
).split()

MAPPING = "\n".join(["[columns]", *(f'{name} = "{name}"' for name in FIELDS), ""])


def films_file(folder: Path, movies: Iterable[Movie], name: str = "films.jsonl") -> Path:
    """Write films as JSON lines, and beside them the mapping that reads them with their ids."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "mapping.toml").write_text(MAPPING)
    lines = [
        json.dumps(movie.model_dump(mode="json", include=set(FIELDS))) + "\n" for movie in movies
    ]
    (folder / name).write_text("".join(lines), "utf-8")
    return folder / name


def build_stores(data: Path, movies: Iterable[Movie]) -> BuildResult:
    """Publish a generation of these films, whatever was changed by hand."""
    return build_file(data, films_file(data.with_name(f"{data.name}-source"), movies))


def build_file(data: Path, source: Path) -> BuildResult:
    """Publish a generation of the films of a file that `films_file` wrote."""
    return build(
        source,
        data,
        "hashing",
        HashingEncoder(),
        lambda folder, _: TantivyWriter(folder),
        BuildOptions(source.with_name("mapping.toml"), discard_changes=True, quiet=True),
    )


def tools() -> Backends:
    """Return what changes such generations."""
    return Backends(
        lambda _, folder, __: TantivyWriter(folder),
        lambda _: HashingEncoder(),
        lambda generation: TantivyEngine(generation.file(tantivy.TANTIVY_FOLDER)),
    )


def open_group(data: Path) -> GroupCommit:
    """Return what changes such generations for a service."""
    return GroupCommit(data, tools())


def put(data: Path, *movies: Movie) -> UpdateResult:
    """Publish a generation with these films added or replaced."""
    return change(data, upsert(movies), tools())


def remove(data: Path, *ids: int) -> UpdateResult:
    """Publish a generation without these films."""
    return change(data, delete(ids), tools())


def follow_films(
    data: Path,
    movies: Sequence[Movie],
    keep_missing: bool = False,
    hand_changes: HandChanges | None = "discard",
) -> UpdateResult:
    """Publish a generation of the films of a source that has ids."""
    return change(data, match_source(of_source(movies), False, keep_missing, hand_changes), tools())


def of_source(movies: Iterable[Movie]) -> FilmSpool:
    """Return films as an update from a source reads them."""
    films = list(movies)
    spool = FilmSpool(BytesIO())
    rows = [new_row(0, tuple(vars(movie).values()), numbered=True) for movie in films]
    spool.add(np.array([movie.id for movie in films], np.int64), table_of(rows), films)
    return spool


def open_stores(generation: Generation, preferences: Preferences = BUILT_IN) -> HybridSearch:
    """Open a generation as the service does."""
    catalogue = Catalogue(generation.folder)
    search = HybridSearch(
        generation.manifest.name,
        catalogue,
        Engines(
            TantivyEngine(generation.file(tantivy.TANTIVY_FOLDER)),
            open_semantic(generation, catalogue),
            HashingEncoder(),
        ),
        30,
        preferences,
        seconds=60,
    )
    search.match = generation.manifest.match
    return search


def follow_stores(data: Path) -> GenerationWatcher:
    """Serve what is published in `data`."""
    return GenerationWatcher(data, open_stores)
