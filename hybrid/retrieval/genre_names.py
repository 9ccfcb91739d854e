"""Genres as most films spell them."""

from functools import lru_cache
from typing import NamedTuple

from hybrid.storage.catalogue import Catalogue


class Genre(NamedTuple):
    """A genre, spelled as in most films, and its number of films."""

    name: str
    key: str
    films: int


@lru_cache(maxsize=1)
def genres_of(catalogue: Catalogue) -> tuple[Genre, ...]:
    """Return the genres of `catalogue`, the most frequent first."""
    postings = catalogue.columns.genres
    genres = [Genre(postings.spelling(key), key, len(rows)) for key, rows in postings.items()]
    return tuple(sorted(genres, key=lambda genre: (-genre.films, genre.key)))
