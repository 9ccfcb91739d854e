"""The genres that a page offers."""

from collections import Counter
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from hybrid.movie import Movie, genre_key
from hybrid.storage.catalogue import Catalogue

LOOKED_AT = 9
"""So many films of a genre say how it is spelled."""


class Genre(NamedTuple):
    """A genre of the index as most of its films spell it."""

    name: str
    key: str
    films: int


@lru_cache(maxsize=1)
def genres_of(catalogue: Catalogue) -> tuple[Genre, ...]:
    """Return the genres of `catalogue`, those of most films first."""
    columns = catalogue.columns
    looked_at = {
        int(film) for places in columns.genres.values() for film in columns.ids[places[:LOOKED_AT]]
    }
    spelled: dict[str, Counter[str]] = {}
    for film in catalogue.films(looked_at).values():
        for name in film.movie.genres:
            spelled.setdefault(genre_key(name), Counter())[name.strip()] += 1
    found = [
        Genre(spelled[key].most_common(1)[0][0], key, len(places))
        for key, places in columns.genres.items()
    ]
    return tuple(sorted(found, key=lambda genre: (-genre.films, genre.key)))


LENGTH = 24


@lru_cache(maxsize=1)
def shelf_of(catalogue: Catalogue) -> tuple[Movie, ...]:
    """Return films of all times, the oldest first: as many of them from each span of years as the
    catalogue has of it."""
    columns = catalogue.columns
    dated = np.flatnonzero(columns.years)
    oldest_first = dated[np.argsort(columns.years[dated], kind="stable")]
    steps = np.linspace(0, max(len(dated) - 1, 0), min(LENGTH, len(dated))).astype(int)
    ids = columns.ids[oldest_first[steps]].tolist()
    films = catalogue.films(ids)
    return tuple(films[film].movie for film in ids)


@lru_cache(maxsize=1)
def years_of(catalogue: Catalogue) -> tuple[int, int] | None:
    """Return the first and last year of any film, None where no film has a year."""
    years = catalogue.columns.years
    dated = years[years > 0]
    return (int(dated.min()), int(dated.max())) if len(dated) else None
