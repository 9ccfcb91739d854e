"""The numbers of films beside the filters of a page."""

from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from hybrid.retrieval.genre_names import genres_of
from hybrid.storage.catalogue import Catalogue


class Counts(NamedTuple):
    """Films by genre, as genres are compared, and by year, ascending."""

    genre: Mapping[str, int]
    year: Mapping[int, int]


@lru_cache(maxsize=1)
def all_counts(catalogue: Catalogue) -> Counts:
    """Return the counts of all films."""
    years = catalogue.columns.years
    dated, films = np.unique(years[years > 0], return_counts=True)
    by_year = dict(zip(dated.tolist(), films.tolist(), strict=True))
    return Counts({genre.key: genre.films for genre in genres_of(catalogue)}, by_year)
