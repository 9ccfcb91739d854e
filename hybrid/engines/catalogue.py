"""The films themselves, by id, and the columns that filters are evaluated on.

A read-only SQLite file: the truth that both engines are held to.
"""

import hashlib
import json
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hybrid.errors import BuildFailed
from hybrid.movie import MAX_ID, Movie, content_hash, genre_key, people
from hybrid.query import Filters
from hybrid.ranking import Ids
from hybrid.reading import name_words

FoundBy = tuple[int | None, str, str, str | None]
"""Year, genres as a JSON list, title and original title."""

Spans = Sequence[tuple[int, int]]
Mask = NDArray[np.bool_]

SCHEMA = """
CREATE TABLE movies (           -- what is read of all films whenever a generation is opened
    id INTEGER PRIMARY KEY,
    year INTEGER,
    genres TEXT NOT NULL,       -- JSON list
    title TEXT NOT NULL,
    original_title TEXT,
    content TEXT NOT NULL,      -- SHA-256 of the whole film
    sentences INTEGER NOT NULL, -- of the description; one vector each, side by side
    piece INTEGER NOT NULL,     -- number of the file that holds these vectors
    row INTEGER NOT NULL        -- the first of them in that file
);
CREATE TABLE documents (        -- what is read of a few
    id INTEGER PRIMARY KEY,
    film TEXT NOT NULL,         -- JSON object, the whole film
    spans TEXT NOT NULL         -- JSON list: [start, end) of each sentence of the description
);
CREATE TABLE names (
    name TEXT PRIMARY KEY,      -- of a person, plain, of two words or more
    films INTEGER NOT NULL      -- that name this person
) WITHOUT ROWID;
CREATE TABLE meta (
    name TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) WITHOUT ROWID;
"""

HAND_CHANGES = """
CREATE TABLE IF NOT EXISTS hand_changes ( -- films changed by hand since the last source
    id INTEGER PRIMARY KEY,
    source TEXT                 -- JSON object, the film as that source has it; NULL: it has none
);
"""
"""Catalogues of earlier versions lack this table: a change adds it."""

PARTICLES = frozenset(
    """af al av bin da das de del della den der di dos du e el ibn la le ten ter van vom von y
    zu""".split()
)
"""The words of a name that are written small; where others are, it is none."""

HIGHEST_ID = "highest_id"
"""Name in `meta` of the highest id that any film ever had: ids are never used again."""

LOOKUP = 500
"""Ids in one SELECT."""

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
        alike: dict[tuple[str, ...], list[int]] = {}  # thousands of films have the same genres
        for place, (film, year, names) in enumerate(films):
            ids.append(film)
            years.append(year or 0)
            alike.setdefault(tuple(names), []).append(place)
        genres: dict[str, list[list[int]]] = {}
        for names, places in alike.items():
            for key in {genre_key(name) for name in names}:
                genres.setdefault(key, []).append(places)
        return cls(
            np.array(ids, np.int64),
            np.array(years, np.int32),
            {key: np.sort(np.concatenate(places)) for key, places in genres.items()},
        )

    @property
    def ids_sha256(self) -> str:
        """The SHA-256 of all ids as little-endian int64, by which stores are compared."""
        return hashlib.sha256(self.ids.astype("<i8").tobytes()).hexdigest()

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


@dataclass(frozen=True)
class SentencePlaces:
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
        self.sentences = SentencePlaces(*(np.array(column, np.int64) for column in places))

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
        return {
            film: int.from_bytes(bytes.fromhex(content[:16]), signed=True)
            for film, content in self.contents().items()
        }

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


def write_catalogue(file: Path, films: Sequence[tuple[Movie, Spans]]) -> None:
    """Write a new catalogue file; the sentences of all films follow each other in piece 0."""
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
    """Open a catalogue to be written; raise BuildFailed where that fails.

    Until the generation is published nobody reads the file, and a broken one is thrown away whole:
    a journal would protect nothing, and the file is synced with all others.
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
    """Insert a film whose sentences' vectors lie in this piece from this row on."""
    connection.execute(
        "INSERT INTO movies VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            movie.id,
            *found_by(movie),
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


def document(movie: Movie) -> str:
    """Return the film as the catalogue keeps it: JSON, equal for equal films."""
    return movie.model_dump_json(exclude_defaults=True)


def found_by(movie: Movie) -> FoundBy:
    """Return what a film is found by beside its text, as the catalogue keeps it."""
    return movie.year, json.dumps(movie.genres), movie.title, movie.original_title


def plain_names(movie: Movie) -> set[str]:
    """Return the names of the film's people as the catalogue keeps them.

    What a source only takes for a name is none: one word, or "the history of".
    """
    names = set()
    for text in people(movie):
        words = [word for word, _ in name_words(text)]
        lower = {word for word in text.split() if word[0].islower()}
        if len(words) > 1 and lower <= PARTICLES:
            names.add(" ".join(words))
    return names
