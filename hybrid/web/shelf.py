"""The films that the page shows before anything is asked."""

from functools import lru_cache

import numpy as np

from hybrid.engines.catalogue import Catalogue
from hybrid.movie import Movie

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
