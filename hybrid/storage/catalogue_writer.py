"""Writing the base of a catalogue, and an empty delta beside it."""

import json
import shutil
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np

from hybrid.errors import BuildFailed
from hybrid.movie import Movie, content_hash
from hybrid.storage.base_columns import BaseColumns
from hybrid.storage.catalogue import Catalogue
from hybrid.storage.catalogue_schema import (
    DELTA_SCHEMA,
    HIGHEST_ID,
    SCHEMA,
    Spans,
    connect,
    document,
    film_columns,
)
from hybrid.storage.generation import CATALOGUE, COLUMNS, DELTA
from hybrid.text.person_names import plain_names

NAMES = 100_000
"""Names of people that are counted before they are written."""


def write_catalogue(folder: Path, films: Iterable[tuple[Movie, Spans]]) -> int:
    """Write a new base of films and return their number; the vectors of their sentences follow each
    other in the order of ids. Raises BuildFailed if it cannot be written.
    """
    write_empty_delta(folder)
    with naming(folder / CATALOGUE), closing(sqlite3.connect(folder / CATALOGUE)) as new:
        new.executescript(SCHEMA)
    with writing(folder, CATALOGUE) as connection:
        written, highest, names = 0, -1, Counter[str]()
        for movie, spans in films:
            insert_film(connection, "base", movie, spans)
            written, highest = written + 1, max(highest, movie.id)
            names.update(plain_names(movie))
            if len(names) > NAMES:
                add_names(connection, "base", names)
                names.clear()
        add_names(connection, "base", names)
        connection.execute("INSERT INTO base.meta VALUES (?, ?)", (HIGHEST_ID, highest))
    with closing(Catalogue(folder)) as catalogue:
        counts = catalogue.sentence_counts()
        columns = catalogue.columns_of()
    BaseColumns(columns, np.cumsum(counts) - counts, counts).write(folder / COLUMNS)
    return written


def write_empty_delta(folder: Path) -> None:
    """Write a delta of no film. Raises BuildFailed if it cannot be written."""
    with naming(folder / DELTA), closing(sqlite3.connect(folder / DELTA)) as new:
        new.executescript(DELTA_SCHEMA)


def merge_catalogue(source: Path, folder: Path) -> None:
    """Write a base into `folder` that holds the films of base and delta of `source`, and an empty
    delta. Raises BuildFailed or OSError if it cannot be written.
    """
    shutil.copyfile(source / CATALOGUE, folder / CATALOGUE)
    shutil.copyfile(source / DELTA, folder / DELTA)
    with writing(folder, CATALOGUE) as connection:
        for table in ("movies", "documents"):
            connection.execute(
                f"DELETE FROM base.{table} WHERE id IN (SELECT id FROM delta.outdated)"  # noqa: S608
            )
            connection.execute(f"INSERT INTO base.{table} SELECT * FROM delta.{table}")  # noqa: S608
        names = connection.execute("SELECT name, films FROM delta.names").fetchall()
        add_names(connection, "base", dict(names))
        connection.execute("DELETE FROM base.names WHERE films <= 0")
        connection.execute(
            "DELETE FROM base.hand_changes WHERE id IN (SELECT id FROM delta.hand_changes)"
        )
        connection.execute(
            "INSERT INTO base.hand_changes SELECT * FROM delta.hand_changes WHERE NOT settled"
        )
        connection.execute(
            "UPDATE base.meta SET value = max(value, coalesce("
            "(SELECT value FROM delta.meta WHERE delta.meta.name = base.meta.name), value))"
        )
    (folder / DELTA).unlink()
    write_empty_delta(folder)


@contextmanager
def writing(folder: Path, name: str) -> Iterator[sqlite3.Connection]:
    """Open a catalogue with one of its two files for writing. Raises BuildFailed if that fails."""
    with naming(folder / name):
        base, delta = folder / CATALOGUE, folder / DELTA
        with closing(connect(base, delta, folder / name)) as connection, connection:
            yield connection


@contextmanager
def naming(file: Path) -> Iterator[None]:
    """Raise BuildFailed, which names the file, for whatever SQLite raises."""
    try:
        yield
    except sqlite3.Error as error:
        raise BuildFailed(f"the catalogue {file} cannot be written: {error}") from error


def insert_film(connection: sqlite3.Connection, part: str, movie: Movie, spans: Spans) -> None:
    """Insert a film into `base` or `delta`."""
    connection.execute(
        f"INSERT INTO {part}.movies VALUES (?{', ?' * 13})",  # noqa: S608, our own name
        (movie.id, *film_columns(movie), content_hash(movie), len(spans)),
    )
    connection.execute(
        f"INSERT INTO {part}.documents VALUES (?, ?, ?)",  # noqa: S608, our own name
        (movie.id, document(movie), json.dumps(spans)),
    )


def add_names(connection: sqlite3.Connection, part: str, names: Mapping[str, int]) -> None:
    """Add to the number of films that name each person, in `base` or `delta`."""
    connection.executemany(
        f"INSERT INTO {part}.names VALUES (?1, ?2)"  # noqa: S608, our own name
        " ON CONFLICT (name) DO UPDATE SET films = films + excluded.films",
        sorted((name, more) for name, more in names.items() if more),
    )
