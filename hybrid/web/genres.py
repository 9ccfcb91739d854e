"""The genres that a page offers."""

from collections import Counter
from functools import lru_cache
from typing import NamedTuple

from hybrid.engines.catalogue import Catalogue
from hybrid.movie import genre_key

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
