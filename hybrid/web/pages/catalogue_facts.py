"""What pages show of the whole catalogue: genres, years, a selection of films."""

from collections import Counter
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from hybrid.movie import Movie, genre_key
from hybrid.storage.catalogue import Catalogue

SPELLING_SAMPLE = 9
"""Number of films by which the spelling of a genre is chosen."""


class Genre(NamedTuple):
    """A genre, spelled as in most films of the sample, and its number of films."""

    name: str
    key: str
    films: int


@lru_cache(maxsize=1)
def genres_of(catalogue: Catalogue) -> tuple[Genre, ...]:
    """Return the genres of `catalogue`, the most frequent first."""
    columns = catalogue.columns
    sample = {
        int(film)
        for rows in columns.genres.values()
        for film in columns.ids[rows[:SPELLING_SAMPLE]]
    }
    spellings: dict[str, Counter[str]] = {}
    for film in catalogue.films(sample).values():
        for name in film.movie.genres:
            spellings.setdefault(genre_key(name), Counter())[name.strip()] += 1
    genres = [
        Genre(spellings[key].most_common(1)[0][0], key, len(rows))
        for key, rows in columns.genres.items()
    ]
    return tuple(sorted(genres, key=lambda genre: (-genre.films, genre.key)))


SHELF_LENGTH = 24
"""Number of films on the landing page."""


@lru_cache(maxsize=1)
def shelf_of(catalogue: Catalogue) -> tuple[Movie, ...]:
    """Return a sample of the films with a year, the oldest first, evenly spaced in that order."""
    columns = catalogue.columns
    dated = np.flatnonzero(columns.years)
    oldest_first = dated[np.argsort(columns.years[dated], kind="stable")]
    steps = np.linspace(0, max(len(dated) - 1, 0), min(SHELF_LENGTH, len(dated))).astype(int)
    ids = columns.ids[oldest_first[steps]].tolist()
    films = catalogue.films(ids)
    return tuple(films[film].movie for film in ids)


@lru_cache(maxsize=1)
def years_of(catalogue: Catalogue) -> tuple[int, int] | None:
    """Return the first and last year of any film, None where no film has a year."""
    years = catalogue.columns.years
    dated = years[years > 0]
    return (int(dated.min()), int(dated.max())) if len(dated) else None
