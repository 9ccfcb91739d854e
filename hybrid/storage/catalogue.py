"""The films themselves, by id, and the columns that filters are evaluated on.

A read-only SQLite file: the truth that both engines are held to.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hybrid.movie import MAX_ID, Movie, hash_number
from hybrid.storage.catalogue_schema import HIGHEST_ID, FoundBy, Spans
from hybrid.storage.filter_columns import FilterColumns
from hybrid.text.person_names import name_words

LOOKUP = 500
"""Ids in one SELECT."""

NAME_WORDS = range(4, 1, -1)
"""Names of so many words are looked for in a query, the longest first."""


@dataclass(frozen=True)
class CatalogueFilm:
    """A film with the ranges of characters of its description that are its sentences."""

    movie: Movie
    spans: Spans

    def sentence(self, number: int) -> str | None:
        """Return the sentence of this number, None for -1."""
        if number < 0 or self.movie.description is None:
            return None
        start, end = self.spans[number]
        return self.movie.description[start:end]


@dataclass(frozen=True)
class SentenceRows:
    """Where the vectors of each film's sentences lie, int64 (n,) each, in the order of ids.

    The film at place p has `counts[p]` sentences, from row `rows[p]` of piece `pieces[p]` on.
    """

    pieces: NDArray[np.int64]
    rows: NDArray[np.int64]
    counts: NDArray[np.int64]


class Catalogue:
    """Films by id. Safe to share between threads: SQLite serialises them."""

    def __init__(self, file: Path) -> None:
        address = f"{file.absolute().as_uri()}?mode=ro&immutable=1"
        self._connection = sqlite3.connect(address, uri=True, check_same_thread=False)
        rows = self._connection.execute(
            "SELECT id, year, genres, piece, row, sentences FROM movies ORDER BY id"
        ).fetchall()
        ids, years, genres, *places = zip(*rows, strict=True) if rows else ((),) * 6
        names = {text: tuple(json.loads(text)) for text in set(genres)}
        films = zip(ids, years, map(names.__getitem__, genres), strict=True)
        self.columns = FilterColumns.of(films)
        self.sentences = SentenceRows(*(np.array(column, np.int64) for column in places))

    def __len__(self) -> int:
        return len(self.columns.ids)

    def films(self, ids: Iterable[int]) -> dict[int, CatalogueFilm]:
        """Return the films of those `ids` that there are."""
        wanted = [film for film in ids if 0 <= film <= MAX_ID]
        marks = ",".join("?" * len(wanted))
        rows = self._connection.execute(
            f"SELECT id, film, spans FROM documents WHERE id IN ({marks})", wanted
        )
        return {film: _film(document, spans) for film, document, spans in rows.fetchall()}

    def titles(self) -> Iterator[tuple[int, str]]:
        """Give (place of the film, title) of every title and differing original title."""
        rows = self._connection.execute("SELECT title, original_title FROM movies ORDER BY id")
        for place, titles in enumerate(rows.fetchall()):
            yield from ((place, title) for title in set(titles) if title)

    def name_in(self, text: str) -> str | None:
        """Return the first whole name of a person that `text` holds, as it is typed there."""
        typed, words = text.split(), name_words(text)
        spans = [
            words[start : start + length]
            for start in range(len(words))
            for length in NAME_WORDS
            if start + length <= len(words)
        ]
        names = [" ".join(word for word, _ in span) for span in spans]
        marks = ",".join("?" * len(names))
        rows = self._connection.execute(f"SELECT name FROM names WHERE name IN ({marks})", names)
        known = {name for (name,) in rows.fetchall()}
        for span, name in zip(spans, names, strict=True):
            if name in known:
                return " ".join(typed[span[0][1] : span[-1][1] + 1]).strip(",.;:!?()\"'")
        return None

    def found_by(self) -> dict[int, FoundBy]:
        """Return what every film is found by, by id."""
        rows = self._connection.execute(
            "SELECT id, year, genres, title, original_title FROM movies"
        ).fetchall()
        return {film: tuple(found) for film, *found in rows}

    def contents(self) -> dict[int, str]:
        """Return the SHA-256 of every film, by id."""
        return dict(self._connection.execute("SELECT id, content FROM movies").fetchall())

    def content_numbers(self) -> dict[int, int]:
        """Return the number for the content of every film, by id, as `content_number` has it."""
        return {film: hash_number(content) for film, content in self.contents().items()}

    def some_films(self, ids: Sequence[int]) -> Iterator[Movie]:
        """Give those of these films that there are, many at a time."""
        return (film.movie for film in self.some_with_sentences(ids))

    def some_with_sentences(self, ids: Sequence[int]) -> Iterator[CatalogueFilm]:
        """Give those of these films that there are with the ranges of their sentences."""
        for start in range(0, len(ids), LOOKUP):
            yield from self.films(ids[start : start + LOOKUP]).values()

    def all_films(self) -> Iterator[Movie]:
        """Give every film in the order of ids."""
        return (film.movie for film in self.all_with_sentences())

    def all_with_sentences(self) -> Iterator[CatalogueFilm]:
        """Give every film with the ranges of its sentences, in the order of ids."""
        rows = self._connection.execute("SELECT film, spans FROM documents ORDER BY id")
        return (_film(document, spans) for document, spans in rows)

    def highest_id(self) -> int:
        """Return the highest id that any film ever had, -1 before the first film."""
        rows = self._connection.execute("SELECT value FROM meta WHERE name = ?", (HIGHEST_ID,))
        found: int = rows.fetchone()[0]
        return found

    def hand_changes(self) -> dict[int, Movie | None]:
        """Return the films that were changed by hand since the last source, by id.

        Each is as that source has it, None where it does not.
        """
        there = self._connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'hand_changes'")
        if there.fetchone() is None:
            return {}
        rows = self._connection.execute("SELECT id, source FROM hand_changes").fetchall()
        return {
            film: None if source is None else Movie.model_validate_json(source)
            for film, source in rows
        }

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()


def _film(document: str, spans: str) -> CatalogueFilm:
    return CatalogueFilm(Movie.model_validate_json(document), json.loads(spans))
