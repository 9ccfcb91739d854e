"""The numbers of films beside the filters of a page."""

from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from hybrid.facets import MAX_NAMES
from hybrid.movie import name_key
from hybrid.query import Facet
from hybrid.retrieval.genre_names import genres_of
from hybrid.schemas.search import SearchResponse, SimilarResponse
from hybrid.storage.catalogue import Catalogue

COUNTED: tuple[Facet, ...] = ("genre", "year")
"""The facets that a page shows."""


class Counts(NamedTuple):
    """Films by genre, as genres are compared, and by year, ascending.

    `other` is the number for a genre that is not counted: None where not all of them are.
    """

    genre: Mapping[str, int]
    year: Mapping[int, int]
    other: int | None = 0


def counts_of(answer: SearchResponse | SimilarResponse | None) -> Counts | None:
    """Return the counts of the films that are listed, or that the filters allow; None without."""
    facets = answer.facets if isinstance(answer, SearchResponse) else None
    counted = facets and (facets.candidates or facets.filters)
    if not counted:
        return None
    genres = {name_key(str(one.value)): one.count for one in counted["genre"]}
    years = {int(one.value): one.count for one in counted["year"]}
    return Counts(genres, years, None if len(genres) >= MAX_NAMES else 0)


@lru_cache(maxsize=1)
def all_counts(catalogue: Catalogue) -> Counts:
    """Return the counts of all films."""
    years = catalogue.columns.years
    dated, films = np.unique(years[years > 0], return_counts=True)
    by_year = dict(zip(dated.tolist(), films.tolist(), strict=True))
    return Counts({genre.key: genre.films for genre in genres_of(catalogue)}, by_year)
