"""The columns that filters are evaluated on: year and genres of every film."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hybrid.movie import genre_key
from hybrid.query import Filters
from hybrid.ranking import Ids

Mask = NDArray[np.bool_]

Rows = NDArray[np.int64]

NO_ROWS: Rows = np.empty(0, np.int64)


@dataclass(frozen=True)
class FilterColumns:
    """Year and genres of n films, one row per film in the order of ids.

    `ids` int64 (n,) ascending; `years` int32 (n,), 0 without a year; `genres` maps a genre's key
    to the rows of its films, int64 ascending.
    """

    ids: Ids
    years: NDArray[np.int32]
    genres: Mapping[str, Rows]

    @classmethod
    def of(cls, films: Iterable[tuple[int, int | None, Sequence[str]]]) -> "FilterColumns":
        """Return the columns of films given as (id, year, genres), in the order of ids."""
        ids: list[int] = []
        years: list[int] = []
        by_names: dict[tuple[str, ...], list[int]] = {}  # thousands of films share their genres
        for row, (film, year, names) in enumerate(films):
            ids.append(film)
            years.append(year or 0)
            by_names.setdefault(tuple(names), []).append(row)
        genres: dict[str, list[list[int]]] = {}
        for names, rows in by_names.items():
            for key in {genre_key(name) for name in names}:
                genres.setdefault(key, []).append(rows)
        return cls(
            np.array(ids, np.int64),
            np.array(years, np.int32),
            {key: np.sort(np.concatenate(rows)) for key, rows in genres.items()},
        )

    def allowed(self, filters: Filters, rows: Rows | None = None) -> Mask:
        """Return which films `filters.matches`, of all or of these rows, bool (n,)."""
        years = self.years if rows is None else self.years[rows]
        mask = np.ones(len(years), np.bool_)
        if filters.has_years:
            mask &= years > 0
        if filters.year_from is not None:
            mask &= years >= filters.year_from
        if filters.year_to is not None:
            mask &= years <= filters.year_to
        if filters.genre_keys:
            have = [self._have_genre(key, rows) for key in filters.genre_keys]
            matches = np.sum(have, axis=0)
            mask &= matches >= (len(filters.genre_keys) if filters.genre_match == "all" else 1)
        return mask

    def _have_genre(self, key: str, rows: Rows | None) -> NDArray[np.int64]:
        """Return 1 for each film that has the genre and 0 for others, int64 (n,)."""
        films = self.genres.get(key, NO_ROWS)
        if rows is not None:
            return np.isin(rows, films).astype(np.int64)
        have = np.zeros(len(self.ids), np.int64)
        have[films] = 1
        return have

    def rows_of(self, ids: Ids) -> Rows:
        """Return the row of each id, int64 (len(ids),), -1 where no film has the id."""
        rows = np.searchsorted(self.ids, ids)
        rows[rows == len(self.ids)] = -1
        return np.where(self.ids[rows] == ids, rows, -1) if len(self.ids) else rows


def ids_sha256(ids: Ids) -> str:
    """Return the SHA-256 of ids as little-endian int64, by which stores are compared."""
    return hashlib.sha256(ids.astype("<i8").tobytes()).hexdigest()
