"""The films themselves, by id, and the columns that filters are evaluated on.

A read-only SQLite file: the truth that both engines are held to.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hybrid.movie import MAX_ID, Movie, genre_key, people
from hybrid.query import Filters
from hybrid.ranking import Ids
from hybrid.reading import name_words

Spans = Sequence[tuple[int, int]]
Mask = NDArray[np.bool_]

SCHEMA = """
CREATE TABLE movies (
    id INTEGER PRIMARY KEY,
    year INTEGER,
    genres TEXT NOT NULL,      -- JSON list
    film TEXT NOT NULL,        -- JSON object, the whole film
    spans TEXT NOT NULL,       -- JSON list: [start, end) of each sentence of the description
    sentences INTEGER NOT NULL -- their number; one vector each, in the order of ids
);
CREATE TABLE names (
    name TEXT PRIMARY KEY      -- of a person, plain, of two words or more
) WITHOUT ROWID;
"""

PARTICLES = frozenset(
    """af al av bin da das de del della den der di dos du e el ibn la le ten ter van vom von y
    zu""".split()
)
"""The words of a name that are written small; where others are, it is none."""

NAME_WORDS = range(4, 1, -1)
"""Names of so many words are looked for in a query, the longest first."""


@dataclass(frozen=True)
class FilterColumns:
    """What filters look at, one place a film in the order of ids.

    `ids` int64 (n,) ascending; `years` int32 (n,), 0 without a year; `genres` maps a genre's key
    to the places of its films, int64 ascending.
    """

    ids: Ids
    years: NDArray[np.int32]
    genres: Mapping[str, NDArray[np.int64]]

    @classmethod
    def of(cls, films: Iterable[tuple[int, int | None, Sequence[str]]]) -> "FilterColumns":
        """Make the columns from (id, year, genres) of each film, in the order of ids."""
        ids: list[int] = []
        years: list[int] = []
        genres: dict[str, list[int]] = {}
        for place, (film, year, names) in enumerate(films):
            ids.append(film)
            years.append(year or 0)
            for key in {genre_key(name) for name in names}:
                genres.setdefault(key, []).append(place)
        return cls(
            np.array(ids, np.int64),
            np.array(years, np.int32),
            {key: np.array(places, np.int64) for key, places in genres.items()},
        )

    def allowed(self, filters: Filters) -> Mask:
        """Return which films `filters.matches`, bool (n,)."""
        mask = np.ones(len(self.ids), np.bool_)
        if filters.has_years:
            mask &= self.years > 0
        if filters.year_from is not None:
            mask &= self.years >= filters.year_from
        if filters.year_to is not None:
            mask &= self.years <= filters.year_to
        if filters.genre_keys:
            found = np.zeros(len(self.ids), np.int64)
            for key in filters.genre_keys:
                found[self.genres.get(key, [])] += 1
            mask &= found >= (len(filters.genre_keys) if filters.genre_match == "all" else 1)
        return mask

    def places(self, ids: Ids) -> NDArray[np.int64]:
        """Return the place of each id, -1 where it is unknown."""
        places = np.searchsorted(self.ids, ids)
        places[places == len(self.ids)] = -1
        return np.where(self.ids[places] == ids, places, -1) if len(self.ids) else places


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


class Catalogue:
    """Films by id. Safe to share between threads: SQLite serialises them.

    `starts` int64 (films + 1,): the sentences of the film at place p of `columns` are the rows
    starts[p] to starts[p + 1] of the vectors' file.
    """

    def __init__(self, file: Path) -> None:
        address = f"{file.absolute().as_uri()}?mode=ro&immutable=1"
        self._connection = sqlite3.connect(address, uri=True, check_same_thread=False)
        rows = self._connection.execute(
            "SELECT id, year, genres, sentences FROM movies ORDER BY id"
        ).fetchall()
        self.columns = FilterColumns.of((row[0], row[1], json.loads(row[2])) for row in rows)
        self.starts: NDArray[np.int64] = np.cumsum([0, *(row[3] for row in rows)], dtype=np.int64)

    def __len__(self) -> int:
        return len(self.columns.ids)

    def films(self, ids: Iterable[int]) -> dict[int, CatalogueFilm]:
        """Return the films of those `ids` that there are."""
        wanted = [film for film in ids if 0 <= film <= MAX_ID]
        marks = ",".join("?" * len(wanted))
        rows = self._connection.execute(
            f"SELECT id, film, spans FROM movies WHERE id IN ({marks})", wanted
        )
        return {
            film: CatalogueFilm(Movie.model_validate_json(document), json.loads(spans))
            for film, document, spans in rows.fetchall()
        }

    def titles(self) -> Iterator[tuple[int, str]]:
        """Give (place of the film, title) of every title and differing original title."""
        rows = self._connection.execute(
            "SELECT json_extract(film, '$.title'), json_extract(film, '$.original_title')"
            " FROM movies ORDER BY id"
        )
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

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()


def write_catalogue(file: Path, films: Sequence[tuple[Movie, Spans]]) -> None:
    """Write a new catalogue file."""
    with closing(sqlite3.connect(file)) as connection, connection:
        # Until the generation is published nobody reads the file, and a broken build is thrown
        # away whole: a journal would protect nothing.
        connection.execute("PRAGMA journal_mode=OFF")
        connection.executescript(SCHEMA)
        connection.executemany(
            "INSERT INTO movies VALUES (?, ?, ?, ?, ?, ?)",
            (
                (
                    movie.id,
                    movie.year,
                    json.dumps(movie.genres),
                    movie.model_dump_json(exclude_defaults=True),
                    json.dumps(spans),
                    len(spans),
                )
                for movie, spans in films
            ),
        )
        names = {_name(name) for movie, _ in films for name in people(movie)} - {None}
        connection.executemany("INSERT INTO names VALUES (?)", ((name,) for name in names))


def _name(text: str) -> str | None:
    """Return a name as it is compared, None of what is none: one word, or "the history of"."""
    words = [word for word, _ in name_words(text)]
    lower = {word for word in text.split() if word[0].islower()}
    return " ".join(words) if len(words) > 1 and lower <= PARTICLES else None
