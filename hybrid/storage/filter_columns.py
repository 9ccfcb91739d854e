"""The columns that filters are evaluated on: numbers and names of every film."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Self, get_args

import numpy as np
from numpy.typing import NDArray

from hybrid.limits import NameField, NameSet, NumberField, Range
from hybrid.movie import Movie, Names
from hybrid.query import Filters
from hybrid.ranking import Ids
from hybrid.storage.merged_postings import MergedPostings
from hybrid.storage.postings import Postings
from hybrid.storage.rows import NO_ROWS, Mask, Rows

NUMBERS: Mapping[NumberField, tuple[type[np.generic], int]] = {
    "year": (np.int32, 0),
    "rating": (np.float64, -1),
    "votes": (np.int32, -1),
    "duration_minutes": (np.int32, -1),
}
"""The type of each column of numbers, and what stands for a number that a film lacks."""

NAME_FIELDS: tuple[NameField, ...] = get_args(NameField)


class FilterValues(NamedTuple):
    """What filters compare of a film: numbers and names in the order of NUMBERS and NAME_FIELDS."""

    id: int
    numbers: tuple[float | None, ...]
    names: tuple[Names, ...]

    @classmethod
    def of(cls, movie: Movie) -> Self:
        """Return the values of a film."""
        numbers = tuple(getattr(movie, field) for field in NUMBERS)
        return cls(movie.id, numbers, tuple(getattr(movie, field) for field in NAME_FIELDS))


@dataclass(frozen=True)
class FilterColumns:
    """Numbers and names of n films, one row per film in the order of ids.

    `ids` int64 (n,) ascending; `numbers` has arrays (n,) as NUMBERS describes them, `names` the
    rows of the films with each name.
    """

    ids: Ids
    numbers: Mapping[NumberField, NDArray[Any]]
    names: Mapping[NameField, Postings | MergedPostings]

    @property
    def years(self) -> NDArray[np.int32]:
        """The year of each film, 0 without one, int32 (n,)."""
        return self.numbers["year"]

    @property
    def genres(self) -> Postings | MergedPostings:
        """The rows of the films of each genre."""
        return self.names["genres"]

    def allowed(self, filters: Filters, rows: Rows | None = None) -> Mask:
        """Return which films `filters.matches`, of all or of these rows, bool (n,)."""
        mask = np.ones(len(self.ids) if rows is None else len(rows), np.bool_)
        for limit in filters.ranges:
            mask &= self._in_range(limit, rows)
        for names in filters.name_sets:
            mask &= self._have_names(names, rows)
        return mask

    def _in_range(self, limit: Range, rows: Rows | None) -> Mask:
        column = self.numbers[limit.field]
        if rows is not None:
            column = column[rows]
        inside: Mask = column != NUMBERS[limit.field][1]
        if limit.first is not None:
            inside &= column >= limit.first
        if limit.last is not None:
            inside &= column <= limit.last
        return inside

    def _have_names(self, names: NameSet, rows: Rows | None) -> Mask:
        postings = self.names[names.field]
        films = [postings.get(key, NO_ROWS) for key in names.keys]
        found = np.zeros(len(self.ids) if rows is None else len(rows), np.uint8)
        for of_name in films:
            if rows is None:
                found[of_name] += 1
            else:
                found += np.isin(rows, of_name)
        if names.match == "none":
            passes: Mask = found == 0
        else:
            passes = found >= (len(films) if names.match == "all" else 1)
        return passes

    def rows_of(self, ids: Ids) -> Rows:
        """Return the row of each id, int64 (len(ids),), -1 where no film has the id."""
        rows = self.ids.searchsorted(ids)
        rows[rows == len(self.ids)] = -1
        if len(self.ids):
            rows[self.ids[rows] != ids] = -1
        return rows


@dataclass(frozen=True)
class UnmergedColumns(FilterColumns):
    """Columns of a base alone, or of a delta alone."""

    names: Mapping[NameField, Postings]

    @classmethod
    def of(cls, films: Iterable[FilterValues]) -> Self:
        """Return the columns of films, in the order of ids."""
        ids: list[int] = []
        numbers: list[list[float]] = [[] for _ in NUMBERS]
        names: list[dict[str, list[int]]] = [{} for _ in NAME_FIELDS]
        absent = [number for _, number in NUMBERS.values()]
        for row, film in enumerate(films):
            ids.append(film.id)
            for column, value, none in zip(numbers, film.numbers, absent, strict=True):
                column.append(none if value is None else value)
            for by_name, of_film in zip(names, film.names, strict=True):
                for name in of_film:
                    by_name.setdefault(name.strip(), []).append(row)
        return cls(
            np.array(ids, np.int64),
            {
                field: np.array(column, dtype)
                for (field, (dtype, _)), column in zip(NUMBERS.items(), numbers, strict=True)
            },
            {f: Postings.of(by_name) for f, by_name in zip(NAME_FIELDS, names, strict=True)},
        )


def ids_sha256(ids: Ids) -> str:
    """Return the SHA-256 of ids as little-endian int64, by which stores are compared."""
    return hashlib.sha256(ids.astype("<i8").tobytes()).hexdigest()
