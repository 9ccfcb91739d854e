"""Changing the catalogue of a generation in the making, a copy of the one before."""

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

    The vectors of `films` and `moved` lie in `piece`. A change that follows a source gives the
    changes by hand that are `kept`, each with the film as the source has it; without them this is
    a change by hand. Raises BuildFailed where it cannot be written.
    """
    ids = [film.movie.id for film in films]
    with writing(file) as connection:
        connection.execute(HAND_CHANGES)
        if kept is None:
            _remember(connection, [*ids, *gone])
        else:
            _keep(connection, kept)
        names = Counter(name for film in films for name in plain_names(film.movie))
        names.subtract(_forget(connection, [*ids, *gone]))
        for film in films:
            insert_film(connection, film.movie, film.spans, piece, film.row)
        move(connection, moved, piece)
        connection.executemany(
            "INSERT INTO names VALUES (?1, ?2)"
            " ON CONFLICT (name) DO UPDATE SET films = films + excluded.films",
            [(name, more) for name, more in names.items() if more],
        )
        connection.execute("DELETE FROM names WHERE films <= 0")
        connection.execute(
            "UPDATE meta SET value = max(value, ?) WHERE name = ?",
            (max(ids, default=-1), HIGHEST_ID),
        )
        # What is as the source has it is no change by hand any more.
        connection.execute(
            "DELETE FROM hand_changes WHERE source IS"
            " (SELECT film FROM documents WHERE documents.id = hand_changes.id)"
        )


def _remember(connection: sqlite3.Connection, ids: Iterable[int]) -> None:
    """Note of films that are about to be changed by hand how the source has them."""
    connection.executemany(
        "INSERT OR IGNORE INTO hand_changes"
        " VALUES (?1, (SELECT film FROM documents WHERE id = ?1))",
        ((film,) for film in ids),
    )


def _keep(connection: sqlite3.Connection, kept: Mapping[int, Movie | None]) -> None:
    """Replace what is known of changes by hand."""
    connection.execute("DELETE FROM hand_changes")
    connection.executemany(
        "INSERT INTO hand_changes VALUES (?, ?)",
        ((film, source and document(source)) for film, source in kept.items()),
    )


def move(connection: sqlite3.Connection, rows: Mapping[int, int], piece: int) -> None:
    """Set where the vectors of these films lie: the first row of each, in `piece`."""
    connection.executemany(
        "UPDATE movies SET piece = ?, row = ? WHERE id = ?",
        ((piece, row, film) for film, row in rows.items()),
    )


def _forget(connection: sqlite3.Connection, ids: Iterable[int]) -> Counter[str]:
    """Delete those of these films that there are; return how many of them named each person."""
    names: Counter[str] = Counter()
    wanted = list(ids)
    for start in range(0, len(wanted), LOOKUP):
        some = wanted[start : start + LOOKUP]
        marks = ",".join("?" * len(some))
        rows = connection.execute(f"SELECT film FROM documents WHERE id IN ({marks})", some)
        for (film,) in rows.fetchall():
            names.update(plain_names(Movie.model_validate_json(film)))
        for table in ("movies", "documents"):
            connection.execute(f"DELETE FROM {table} WHERE id IN ({marks})", some)
    return names
