"""The catalogue: a read-only SQLite file of all films, the source of truth for both engines."""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hybrid.movie import MAX_ID, Movie, hash_number
from hybrid.storage.catalogue_schema import HIGHEST_ID, SearchColumns, Spans
from hybrid.storage.filter_columns import FilterColumns
from hybrid.text.person_names import name_words

LOOKUP = 500
"""Maximum number of ids in one SELECT."""

NAME_WORDS = range(4, 1, -1)
"""Lengths, in words, of the names that are looked for in a query, the longest first."""


@dataclass(frozen=True)
class CatalogueFilm:
    """A film and its sentences: `spans` are the ranges [start, end) of its description."""

    movie: Movie
    spans: Spans

    def sentence(self, number: int) -> str | None:
        """Return the sentence of this number, counted from 0; None for -1."""
        if number < 0 or self.movie.description is None:
            return None
        start, end = self.spans[number]
        return self.movie.description[start:end]


@dataclass(frozen=True)
class SentenceRows:
    """Where the vectors of each film's sentences are, int64 (n,) each, in the order of ids.

    Film f has `counts[f]` sentences, whose vectors begin at row `rows[f]` of piece `pieces[f]`.
    """

    pieces: NDArray[np.int64]
    rows: NDArray[np.int64]
    counts: NDArray[np.int64]


class Catalogue:
    """Films by id. Safe to share between threads: SQLite serialises access."""

    def __init__(self, file: Path) -> None:
        uri = f"{file.absolute().as_uri()}?mode=ro&immutable=1"
        self._connection = sqlite3.connect(uri, uri=True, check_same_thread=False)
        rows = self._connection.execute(
            "SELECT id, year, genres, piece, row, sentences FROM movies ORDER BY id"
        ).fetchall()
        ids, years, genres, *locations = zip(*rows, strict=True) if rows else ((),) * 6
        names = {text: tuple(json.loads(text)) for text in set(genres)}
        films = zip(ids, years, map(names.__getitem__, genres), strict=True)
        self.columns = FilterColumns.of(films)
        self.sentences = SentenceRows(*(np.array(column, np.int64) for column in locations))

    def __len__(self) -> int:
        return len(self.columns.ids)

    def films(self, ids: Iterable[int]) -> dict[int, CatalogueFilm]:
        """Return by id the films of `ids`, without the ids that no film has."""
        wanted = [film for film in ids if 0 <= film <= MAX_ID]
        marks = ",".join("?" * len(wanted))
        rows = self._connection.execute(
            f"SELECT id, film, spans FROM documents WHERE id IN ({marks})",  # noqa: S608, only "?"
            wanted,
        )
        return {film: _film(document, spans) for film, document, spans in rows.fetchall()}

    def titles(self) -> Iterator[tuple[int, str]]:
        """Yield (row of the film, title) for every title and each different original title."""
        rows = self._connection.execute("SELECT title, original_title FROM movies ORDER BY id")
        for row, titles in enumerate(rows.fetchall()):
            yield from ((row, title) for title in set(titles) if title)

    def person_in(self, text: str) -> str | None:
        """Return the first full name of a person that `text` contains, as typed there, or None."""
        typed, words = text.split(), name_words(text)
        spans = [
            words[start : start + length]
            for start in range(len(words))
            for length in NAME_WORDS
            if start + length <= len(words)
        ]
        names = [" ".join(word for word, _ in span) for span in spans]
        marks = ",".join("?" * len(names))
        rows = self._connection.execute(
            f"SELECT name FROM names WHERE name IN ({marks})",  # noqa: S608, only "?"
            names,
        )
        known = {name for (name,) in rows.fetchall()}
        for span, name in zip(spans, names, strict=True):
            if name in known:
                return " ".join(typed[span[0][1] : span[-1][1] + 1]).strip(",.;:!?()\"'")
        return None

    def people(self) -> Iterator[tuple[str, int]]:
        """Yield (plain name, number of films) for every person, in the order of names."""
        yield from self._connection.execute(
            "SELECT name, sum(films) FROM names GROUP BY name HAVING sum(films) > 0"
        ).fetchall()

    def votes(self) -> list[int]:
        """Return the votes of every film in the order of ids, 0 without any."""
        rows = self._connection.execute(
            "SELECT iif(film LIKE '%\"votes\":%', json_extract(film, '$.votes'), 0)"
            " FROM documents ORDER BY id"
        ).fetchall()
        return [votes or 0 for (votes,) in rows]

    def search_columns(self) -> dict[int, SearchColumns]:
        """Return by id the year, genres and titles of every film."""
        rows = self._connection.execute(
            "SELECT id, year, genres, title, original_title FROM movies"
        ).fetchall()
        return {film: tuple(columns) for film, *columns in rows}

    def contents(self) -> dict[int, str]:
        """Return by id the SHA-256 of every film, `content_hash`."""
        return dict(self._connection.execute("SELECT id, content FROM movies").fetchall())

    def content(self, film: int) -> str | None:
        """Return the SHA-256 of a film, `content_hash`, None if there is none of this id."""
        if not 0 <= film <= MAX_ID:
            return None
        row = self._connection.execute("SELECT content FROM movies WHERE id = ?", (film,))
        found = row.fetchone()
        return found[0] if found else None

    def content_numbers(self) -> dict[int, int]:
        """Return the number for the content of every film, by id, as `content_number` has it."""
        return {film: hash_number(content) for film, content in self.contents().items()}

    def some_films(self, ids: Sequence[int]) -> Iterator[Movie]:
        """Yield the films of `ids` that exist, fetched many at a time."""
        return (film.movie for film in self.some_with_sentences(ids))

    def some_with_sentences(self, ids: Sequence[int]) -> Iterator[CatalogueFilm]:
        """Yield the films of `ids` that exist, with their sentences, fetched many at a time."""
        for start in range(0, len(ids), LOOKUP):
            yield from self.films(ids[start : start + LOOKUP]).values()

    def all_films(self) -> Iterator[Movie]:
        """Yield every film in the order of ids."""
        return (film.movie for film in self.all_with_sentences())

    def all_with_sentences(self) -> Iterator[CatalogueFilm]:
        """Yield every film with its sentences, in the order of ids."""
        rows = self._connection.execute("SELECT film, spans FROM documents ORDER BY id")
        return (_film(document, spans) for document, spans in rows)

    def highest_id(self) -> int:
        """Return the highest id that any film has ever had, -1 before the first film."""
        rows = self._connection.execute("SELECT value FROM meta WHERE name = ?", (HIGHEST_ID,))
        highest: int = rows.fetchone()[0]
        return highest

    def hand_changes(self) -> dict[int, Movie | None]:
        """Return by id the films that were changed by hand since the last source.

        Each is as in that source, None if the source does not have it.
        """
        table = self._connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'hand_changes'")
        if table.fetchone() is None:
            return {}
        rows = self._connection.execute("SELECT id, source FROM hand_changes").fetchall()
        return {
            film: None if source is None else Movie.model_validate_json(source)
            for film, source in rows
        }

    def close(self) -> None:
        """Close the file."""
        self._connection.close()


def _film(document: str, spans: str) -> CatalogueFilm:
    return CatalogueFilm(Movie.model_validate_json(document), json.loads(spans))
