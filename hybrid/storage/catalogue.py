"""The catalogue: all films of a generation, read-only, the source of truth for both engines."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np

from hybrid.cache import Cache
from hybrid.movie import MAX_ID, Movie, Names, hash_number
from hybrid.ranking import Ids
from hybrid.storage.base_columns import BaseColumns
from hybrid.storage.catalogue_schema import HIGHEST_ID, SearchColumns, Spans, connect
from hybrid.storage.filter_columns import (
    NUMBERS,
    FilterColumns,
    FilterValues,
    UnmergedColumns,
)
from hybrid.storage.generation import CATALOGUE, COLUMNS, DELTA
from hybrid.storage.merged_postings import MergedPostings
from hybrid.storage.merged_rows import MergedRows
from hybrid.storage.rows import Mask, Rows
from hybrid.text.person_names import name_words

LOOKUP = 500
"""Maximum number of ids in one SELECT."""

MAX_CACHED_FILMS = 512
"""Films that were shown last; each takes some 5 kB."""

MAX_CACHED_NAMES = 256
"""Texts in which names were looked for last: a search does it twice."""

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

    Film f has `counts[f]` sentences, whose vectors begin at row `firsts[f]` of the base's pieces
    one after the other, or of the delta's vectors if it `is_delta`, bool (n,).
    """

    firsts: Rows
    counts: Rows
    is_delta: Mask


@dataclass(frozen=True)
class DeltaFilms:
    """The films of the delta: `ids` and the numbers of their sentences, `counts`, int64 (n,) each,
    in the order of ids; and `outdated`, the ids of films of the base that do not count, int64
    ascending."""

    ids: Ids
    counts: Rows
    outdated: Ids


class Catalogue:
    """Films by id. Safe to share between threads: SQLite serialises access.

    `folder` is that of a generation. Films of the delta stand in for those of the base.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._connection = connect(folder / CATALOGUE, folder / DELTA)
        self._films: Cache[int, CatalogueFilm] = Cache("films", MAX_CACHED_FILMS)
        self._names: Cache[tuple[str, ...], Sequence[tuple[int, int]]] = Cache(
            "people_in_text", MAX_CACHED_NAMES
        )

    @cached_property
    def base(self) -> BaseColumns:
        """The columns of the base."""
        return BaseColumns.read(self.folder / COLUMNS)

    @cached_property
    def delta(self) -> DeltaFilms:
        """The films of the delta."""
        films = self._connection.execute("SELECT id, sentences FROM delta.movies ORDER BY id")
        ids, counts = np.array(films.fetchall(), np.int64).reshape(-1, 2).T
        outdated = self._connection.execute("SELECT id FROM delta.outdated ORDER BY id").fetchall()
        return DeltaFilms(ids, counts, np.array(outdated, np.int64).reshape(-1))

    @cached_property
    def rows(self) -> MergedRows:
        """How the films of base and delta follow each other."""
        return MergedRows.of(self.base.ids, self.delta.outdated, self.delta.ids)

    @cached_property
    def columns(self) -> FilterColumns:
        """The columns that filters are evaluated on."""
        base, delta, rows = self.base.columns, self.delta_columns, self.rows
        if rows.is_base:
            return base
        return FilterColumns(
            rows.column(base.ids, delta.ids),
            {name: rows.column(base.numbers[name], delta.numbers[name]) for name in base.numbers},
            {
                name: MergedPostings(postings, delta.names[name], rows)
                for name, postings in base.names.items()
            },
        )

    @cached_property
    def delta_columns(self) -> UnmergedColumns:
        """The columns of the films of the delta."""
        return self.columns_of("delta.movies")

    @cached_property
    def sentences(self) -> SentenceRows:
        """Where the vectors of all sentences are."""
        counts = self.delta.counts
        is_delta = np.zeros(len(self.columns.ids), np.bool_)
        is_delta[self.rows.of_delta] = True
        return SentenceRows(
            self.rows.column(self.base.firsts, np.cumsum(counts) - counts),
            self.rows.column(self.base.counts, counts),
            is_delta,
        )

    def columns_of(self, table: str = "movies") -> UnmergedColumns:
        """Return the columns of all films, or of a table, as they are in SQLite."""
        return UnmergedColumns.of(self.filter_values(table))

    def filter_values(self, table: str = "movies") -> Iterator[FilterValues]:
        """Yield what filters compare of all films, or of those of a table, in the order of ids."""
        rows = self._connection.execute(
            "SELECT id, year, rating, votes, duration_minutes,"  # noqa: S608, our own names
            f" genres, countries, languages, directors, actors FROM {table} ORDER BY id"
        )
        numbers = len(NUMBERS)
        for film, *values in rows:
            yield FilterValues(film, tuple(values[:numbers]), tuple(map(_names, values[numbers:])))

    def sentence_counts(self) -> Rows:
        """Return the number of each film's sentences as it is in SQLite, int64 (n,)."""
        rows = self._connection.execute("SELECT sentences FROM movies ORDER BY id").fetchall()
        return np.array(rows, np.int64).reshape(-1)

    def __len__(self) -> int:
        return len(self.columns.ids)

    def films(self, ids: Iterable[int]) -> dict[int, CatalogueFilm]:
        """Return by id the films of `ids`, ascending, without the ids that no film has."""
        found, missing = {}, []
        for film in ids:
            known = self._films.get(film)
            if known is None:
                missing.append(film)
            else:
                found[film] = known
        for film, read in self._read_films(missing).items():
            self._films.put(film, read)
            found[film] = read
        return dict(sorted(found.items()))

    def _read_films(self, ids: Iterable[int]) -> dict[int, CatalogueFilm]:
        wanted = [film for film in ids if 0 <= film <= MAX_ID]
        if not wanted:  # most answers have no duplicates to look up
            return {}
        marks = ",".join("?" * len(wanted))
        rows = self._connection.execute(
            f"SELECT id, film, spans FROM documents WHERE id IN ({marks})",  # noqa: S608, only "?"
            wanted,
        )
        return {film: _film(document, spans) for film, document, spans in rows.fetchall()}

    def titles(self, table: str = "movies") -> Iterator[tuple[int, str]]:
        """Yield (row of the film, title) for every title and each different original title.

        Of all films, or of those of a table.
        """
        rows = self._connection.execute(
            f"SELECT id, title, original_title FROM {table} ORDER BY id"  # noqa: S608, our own names
        )
        for row, (_, *titles) in enumerate(rows):
            yield from ((row, title) for title in dict.fromkeys(titles) if title)

    def main_titles(self) -> list[str]:
        """Return the title of every film, in the order of ids."""
        rows = self._connection.execute("SELECT title FROM movies ORDER BY id").fetchall()
        return [title for (title,) in rows]

    def person_in(self, text: str) -> str | None:
        """Return the first full name of a person that `text` contains, as typed there, or None."""
        typed, words = text.split(), name_words(text)
        for first, last in self.names_in([word for word, _ in words]):
            return " ".join(typed[words[first][1] : words[last - 1][1] + 1]).strip(",.;:!?()\"'")
        return None

    def names_in(self, words: Sequence[str]) -> Sequence[tuple[int, int]]:
        """Return where full names of people are among plain words, in order, as [first, last).

        Of names that overlap the first counts, and of these the longest.
        """
        text = tuple(words)
        found = self._names.get(text)
        if found is None:
            found = self._find_names(text)
            self._names.put(text, found)
        return found

    def _find_names(self, words: tuple[str, ...]) -> Sequence[tuple[int, int]]:
        spans = [
            (start, start + length)
            for start in range(len(words))
            for length in NAME_WORDS
            if start + length <= len(words)
        ]
        names = [" ".join(words[first:last]) for first, last in spans]
        marks = ",".join("?" * len(names))
        rows = self._connection.execute(
            f"SELECT name FROM names WHERE name IN ({marks})"  # noqa: S608, only "?"
            " GROUP BY name HAVING sum(films) > 0",
            names,
        )
        known = {name for (name,) in rows.fetchall()}
        found: list[tuple[int, int]] = []
        for span, name in zip(spans, names, strict=True):
            if name in known and (not found or span[0] >= found[-1][1]):
                found.append(span)
        return found

    def people(self, table: str = "names") -> list[tuple[str, int]]:
        """Return (plain name, number of films) of every person, or of those in a table, in the
        order of names."""
        return self._connection.execute(
            f"SELECT name, sum(films) FROM {table} GROUP BY name HAVING sum(films) > 0"  # noqa: S608, our own
        ).fetchall()

    def changed_people(self) -> list[tuple[str, int]]:
        """Return (plain name, number of films, perhaps 0) of those whose number of films changed
        since the base was written, in the order of names."""
        return self._connection.execute(
            "SELECT name, sum(films) FROM names WHERE name IN (SELECT name FROM delta.names)"
            " GROUP BY name"
        ).fetchall()

    def search_columns(self) -> dict[int, SearchColumns]:
        """Return by id the year, genres and titles of every film."""
        rows = self._connection.execute(
            "SELECT id, year, genres, title, original_title FROM movies"
        ).fetchall()
        return {film: tuple(columns) for film, *columns in rows}

    def some_search_columns(self, ids: Sequence[int]) -> dict[int, SearchColumns]:
        """Return by id the year, genres and titles of the films of `ids` that exist."""
        found: dict[int, SearchColumns] = {}
        for start in range(0, len(ids), LOOKUP):
            some = ids[start : start + LOOKUP]
            marks = ",".join("?" * len(some))
            rows = self._connection.execute(
                "SELECT id, year, genres, title, original_title"  # noqa: S608, only "?"
                f" FROM movies WHERE id IN ({marks})",
                some,
            ).fetchall()
            found |= {film: tuple(columns) for film, *columns in rows}
        return found

    def contents(self) -> dict[int, str]:
        """Return by id the SHA-256 of every film, `content_hash`."""
        return dict(self._connection.execute("SELECT id, content FROM movies").fetchall())

    def content(self, film: int) -> str | None:
        """Return the SHA-256 of a film, `content_hash`, None if there is none of this id."""
        return self.some_contents([film]).get(film)

    def some_contents(self, ids: Iterable[int]) -> dict[int, str]:
        """Return by id the `content_hash` of the films of `ids` that exist."""
        wanted = [film for film in ids if 0 <= film <= MAX_ID]
        contents: dict[int, str] = {}
        for start in range(0, len(wanted), LOOKUP):
            some = wanted[start : start + LOOKUP]
            marks = ",".join("?" * len(some))
            query = f"SELECT id, content FROM movies WHERE id IN ({marks})"  # noqa: S608, only "?"
            contents.update(self._connection.execute(query, some).fetchall())
        return contents

    def content_numbers(self) -> dict[int, int]:
        """Return the number for the content of every film, by id, as `content_number` has it."""
        return {film: hash_number(content) for film, content in self.contents().items()}

    def some_films(self, ids: Sequence[int]) -> Iterator[Movie]:
        """Yield the films of `ids` that exist, fetched many at a time."""
        return (film.movie for film in self.some_with_sentences(ids))

    def some_with_sentences(self, ids: Sequence[int]) -> Iterator[CatalogueFilm]:
        """Yield the films of `ids` that exist, with their sentences, fetched many at a time."""
        for start in range(0, len(ids), LOOKUP):
            yield from self._read_films(ids[start : start + LOOKUP]).values()

    def all_films(self) -> Iterator[Movie]:
        """Yield every film in the order of ids."""
        return (film.movie for film in self.all_with_sentences())

    def all_with_sentences(self) -> Iterator[CatalogueFilm]:
        """Yield every film with its sentences, in the order of ids."""
        # With the ids, base and delta are merged as they are read; without, all rows are sorted.
        rows = self._connection.execute("SELECT id, film, spans FROM documents ORDER BY id")
        return (_film(document, spans) for _, document, spans in rows)

    def pages_and_titles(self) -> Iterator[tuple[int, str | None, str, int | None]]:
        """Yield the id, the page at its source, title and year of every film, by ids."""
        rows = self._connection.execute(
            "SELECT id, json_extract(film, '$.href'), json_extract(film, '$.title'),"
            " json_extract(film, '$.year') FROM documents ORDER BY id"
        )
        yield from rows

    def all_sentences(self) -> Iterator[str]:
        """Yield every sentence, film after film in the order of ids."""
        rows = self._connection.execute(
            "SELECT json_extract(film, '$.description'), spans"
            " FROM (SELECT id, film, spans FROM documents ORDER BY id) WHERE spans <> '[]'"
        )
        return (text[start:end] for text, spans in rows for start, end in json.loads(spans))

    def highest_id(self) -> int:
        """Return the highest id that any film has ever had, -1 before the first film."""
        rows = self._connection.execute(
            "SELECT max(value) FROM"
            " (SELECT * FROM base.meta UNION ALL SELECT * FROM delta.meta) WHERE name = ?",
            (HIGHEST_ID,),
        )
        highest: int = rows.fetchone()[0]
        return highest

    def hand_changes(self) -> dict[int, Movie | None]:
        """Return by id the films that were changed by hand since the last source.

        Each is as in that source, None if the source does not have it.
        """
        rows = self._connection.execute("SELECT id, source FROM hand_changes").fetchall()
        return {
            film: None if source is None else Movie.model_validate_json(source)
            for film, source in rows
        }

    def figures_of(self, ids: Sequence[int]) -> tuple[int, int, int, int]:
        """Return of the films of `ids` that exist: their number, how many have no sentence and how
        many no year, and the number of their sentences."""
        figures = np.zeros(4, np.int64)
        for start in range(0, len(ids), LOOKUP):
            some = ids[start : start + LOOKUP]
            among = f"id IN ({','.join('?' * len(some))})"
            rows = self._connection.execute(
                "SELECT count(*), total(sentences = 0), total(year IS NULL), total(sentences)"  # noqa: S608, only "?"
                f" FROM movies WHERE {among}",
                some,
            )
            figures += np.array(rows.fetchone(), np.int64)
        films, silent, dateless, sentences = figures.tolist()
        return films, silent, dateless, sentences

    def hand_change_count(self) -> int:
        """Return the number of films that were changed by hand since the last source."""
        count: int = self._connection.execute("SELECT count(*) FROM hand_changes").fetchone()[0]
        return count

    def close(self) -> None:
        """Close the files."""
        self._connection.close()


@lru_cache(maxsize=4096)
def _names(text: str) -> Names:
    """Return the names of a JSON list; many films share their genres, or have no name."""
    return tuple(json.loads(text))


def _film(document: str, spans: str) -> CatalogueFilm:
    return CatalogueFilm(Movie.model_validate_json(document), json.loads(spans))
