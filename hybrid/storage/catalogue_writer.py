"""Writing a new catalogue."""

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from hybrid.errors import BuildFailed
from hybrid.movie import Movie, content_hash
from hybrid.storage.catalogue_schema import (
    HAND_CHANGES,
    HIGHEST_ID,
    SCHEMA,
    Spans,
    document,
    search_columns,
)
from hybrid.text.person_names import plain_names


def write_catalogue(file: Path, films: Sequence[tuple[Movie, Spans]]) -> None:
    """Write a new catalogue; the vectors of all sentences are in piece 0, film after film.

    Raises BuildFailed if it cannot be written.
    """
    with writing(file) as connection:
        connection.executescript(SCHEMA + HAND_CHANGES)
        start = 0
        for movie, spans in films:
            insert_film(connection, movie, spans, 0, start)
            start += len(spans)
        names = Counter(name for movie, _ in films for name in plain_names(movie))
        connection.executemany("INSERT INTO names VALUES (?, ?)", sorted(names.items()))
        highest = max((movie.id for movie, _ in films), default=-1)
        connection.execute("INSERT INTO meta VALUES (?, ?)", (HIGHEST_ID, highest))


@contextmanager
def writing(file: Path) -> Iterator[sqlite3.Connection]:
    """Open a catalogue for writing. Raises BuildFailed if anything fails.

    No journal and no sync: nobody reads the file until the generation is published, which syncs
    all files, and after a failure the whole file is discarded.
    """
    try:
        with closing(sqlite3.connect(file)) as connection, connection:
            connection.execute("PRAGMA journal_mode=OFF")
            connection.execute("PRAGMA synchronous=OFF")
            yield connection
    except sqlite3.Error as error:
        raise BuildFailed(f"the catalogue {file} cannot be written: {error}") from error


def insert_film(
    connection: sqlite3.Connection, movie: Movie, spans: Spans, piece: int, row: int
) -> None:
    """Insert a film; the vectors of its sentences begin at `row` of `piece`."""
    connection.execute(
        "INSERT INTO movies VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            movie.id,
            *search_columns(movie),
            content_hash(movie),
            len(spans),
            piece,
            row,
        ),
    )
    connection.execute(
        "INSERT INTO documents VALUES (?, ?, ?)",
        (movie.id, document(movie), json.dumps(spans)),
    )
