"""The films themselves, by id, and the columns that filters are evaluated on.

A read-only SQLite file: the truth that both engines are held to.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hybrid.movie import genre_key
from hybrid.query import Filters
from hybrid.ranking import Ids

Mask = NDArray[np.bool_]


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
