"""Genres as most films spell them."""

from collections import Counter
from functools import lru_cache
from typing import NamedTuple

from hybrid.movie import genre_key
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
