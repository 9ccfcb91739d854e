"""Changes to a catalogue: they rewrite its delta and leave its base alone."""

import sqlite3
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from hybrid.movie import Movie
from hybrid.storage.catalogue import LOOKUP, CatalogueFilm
from hybrid.storage.catalogue_schema import HIGHEST_ID, document
from hybrid.storage.catalogue_writer import add_names, insert_film, writing
from hybrid.storage.generation import DELTA
from hybrid.text.person_names import plain_names


def change_catalogue(
    folder: Path,
    films: Collection[CatalogueFilm],
    gone: Collection[int],
    kept: Mapping[int, Movie | None] | None = None,
    highest: int = -1,
) -> None:
    """Replace or add `films` and remove `gone`, in the delta in `folder`.

    An update from a source passes in `kept` the changes by hand that remain, each with the film as
    in the source; None means that this is a change by hand. `highest` is the highest id that a film
    ever had, if none of these films has it. Raises BuildFailed if it cannot be written.
    """
    ids = [*(film.movie.id for film in films), *gone]
    with writing(folder, DELTA) as connection:
        before = dict(_select(connection, "id, film", "documents", ids))
        if kept is None:
            # As they were before the first change by hand.
            sources = dict.fromkeys(ids) | before
            sources |= dict(_select(connection, "id, source", "hand_changes", ids))
        else:
            sources = {film: source and document(source) for film, source in kept.items()}
            _settle_all(connection)
        names = Counter(name for film in films for name in plain_names(film.movie))
        for text in before.values():
            names.subtract(plain_names(Movie.model_validate_json(text)))
        _outdate(connection, ids)
        for film in films:
            insert_film(connection, "delta", film.movie, film.spans)
        add_names(connection, "delta", names)
        connection.execute("DELETE FROM delta.names WHERE films = 0")
        _record_sources(connection, sources)
        connection.execute(
            "INSERT INTO delta.meta VALUES (?1, ?2)"
            " ON CONFLICT (name) DO UPDATE SET value = max(value, excluded.value)",
            (HIGHEST_ID, max([highest, *(film.movie.id for film in films)])),
        )


def _outdate(connection: sqlite3.Connection, ids: Sequence[int]) -> None:
    """Let no film of these ids count, whether it is in the base or in the delta."""
    for (film,) in list(_select(connection, "id", "base.movies", ids)):
        connection.execute("INSERT OR IGNORE INTO delta.outdated VALUES (?)", (film,))
    for table in ("movies", "documents"):
        connection.executemany(
            f"DELETE FROM delta.{table} WHERE id = ?",  # noqa: S608, our own name
            ((film,) for film in ids),
        )


def _settle_all(connection: sqlite3.Connection) -> None:
    """Let no film count as changed by hand."""
    connection.execute("DELETE FROM delta.hand_changes")
    connection.execute("INSERT INTO delta.hand_changes SELECT id, NULL, 1 FROM base.hand_changes")


def _record_sources(connection: sqlite3.Connection, sources: Mapping[int, str | None]) -> None:
    """Record films, each with what the source has, as changed by hand.

    A film that equals the source's is no longer a change by hand.
    """
    now = dict(_select(connection, "id, film", "documents", list(sources)))
    connection.executemany(
        "INSERT OR REPLACE INTO delta.hand_changes VALUES (?, ?, ?)",
        ((film, source, source == now.get(film)) for film, source in sources.items()),
    )


def _select(
    connection: sqlite3.Connection, columns: str, table: str, ids: Iterable[int]
) -> Iterator[tuple[Any, ...]]:
    """Yield columns of the rows of a table with these ids."""
    wanted = list(ids)
    for start in range(0, len(wanted), LOOKUP):
        some = wanted[start : start + LOOKUP]
        marks = ",".join("?" * len(some))
        query = f"SELECT {columns} FROM {table} WHERE id IN ({marks})"  # noqa: S608, our own names
        yield from connection.execute(query, some).fetchall()
