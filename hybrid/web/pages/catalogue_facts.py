"""What pages show of the whole catalogue: years, a selection of films."""

from functools import lru_cache

import numpy as np

from hybrid.movie import Movie
from hybrid.storage.catalogue import Catalogue

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
