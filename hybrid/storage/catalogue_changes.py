"""Changes to a catalogue, which is a copy of the previous generation's."""

import sqlite3
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from hybrid.movie import Movie
from hybrid.storage.catalogue import LOOKUP
from hybrid.storage.catalogue_schema import HAND_CHANGES, HIGHEST_ID, Spans, document
from hybrid.storage.catalogue_writer import insert_film, writing
from hybrid.text.person_names import plain_names


@dataclass(frozen=True)
class FilmRows:
    """A film, its sentences, and the first row of their vectors in the new piece."""

    movie: Movie
    spans: Spans
    row: int


def change_catalogue(
    file: Path,
    films: Collection[FilmRows],
    gone: Collection[int],
    moved: Mapping[int, int],
    piece: int,
    kept: Mapping[int, Movie | None] | None = None,
) -> None:
    """Replace or add `films`, remove `gone`, and set the rows of the films that `moved`.

    The vectors of `films` and `moved` are in `piece`. An update from a source passes in `kept` the
    changes by hand that remain, each with the film as in the source; None means that this is a
    change by hand. Raises BuildFailed if it cannot be written.
    """
    ids = [film.movie.id for film in films]
    with writing(file) as connection:
        connection.execute(HAND_CHANGES)
        if kept is None:
            _record_sources(connection, [*ids, *gone])
        else:
            _replace_hand_changes(connection, kept)
        names = Counter(name for film in films for name in plain_names(film.movie))
        names.subtract(_delete_films(connection, [*ids, *gone]))
        for film in films:
            insert_film(connection, film.movie, film.spans, piece, film.row)
        move(connection, moved, piece)
        _add_names(connection, names)
        connection.execute(
            "UPDATE meta SET value = max(value, ?) WHERE name = ?",
            (max(ids, default=-1), HIGHEST_ID),
        )
        # A film that equals the source's is no longer a change by hand.
        connection.execute(
            "DELETE FROM hand_changes WHERE source IS"
            " (SELECT film FROM documents WHERE documents.id = hand_changes.id)"
        )


def _add_names(connection: sqlite3.Connection, names: Mapping[str, int]) -> None:
    """Add to the number of films that name each person; delete the names that no film has."""
    connection.executemany(
        "INSERT INTO names VALUES (?1, ?2)"
        " ON CONFLICT (name) DO UPDATE SET films = films + excluded.films",
        [(name, more) for name, more in names.items() if more],
    )
    connection.execute("DELETE FROM names WHERE films <= 0")


def _record_sources(connection: sqlite3.Connection, ids: Iterable[int]) -> None:
    """Record films that are about to be changed by hand as they are in the source."""
    connection.executemany(
        "INSERT OR IGNORE INTO hand_changes"
        " VALUES (?1, (SELECT film FROM documents WHERE id = ?1))",
        ((film,) for film in ids),
    )


def _replace_hand_changes(connection: sqlite3.Connection, kept: Mapping[int, Movie | None]) -> None:
    """Replace all recorded changes by hand."""
    connection.execute("DELETE FROM hand_changes")
    connection.executemany(
        "INSERT INTO hand_changes VALUES (?, ?)",
        ((film, source and document(source)) for film, source in kept.items()),
    )


def move(connection: sqlite3.Connection, rows: Mapping[int, int], piece: int) -> None:
    """Set the first row of each film's vectors, in `piece`."""
    connection.executemany(
        "UPDATE movies SET piece = ?, row = ? WHERE id = ?",
        ((piece, row, film) for film, row in rows.items()),
    )


def _delete_films(connection: sqlite3.Connection, ids: Iterable[int]) -> Counter[str]:
    """Delete the films of `ids` that exist; return how many of them named each person."""
    names: Counter[str] = Counter()
    all_ids = list(ids)
    for start in range(0, len(all_ids), LOOKUP):
        some = all_ids[start : start + LOOKUP]
        among = f"id IN ({','.join('?' * len(some))})"
        # The queries are made of constants and question marks alone.
        rows = connection.execute(f"SELECT film FROM documents WHERE {among}", some)  # noqa: S608
        for (film,) in rows.fetchall():
            names.update(plain_names(Movie.model_validate_json(film)))
        for table in ("movies", "documents"):
            connection.execute(f"DELETE FROM {table} WHERE {among}", some)  # noqa: S608
    return names
