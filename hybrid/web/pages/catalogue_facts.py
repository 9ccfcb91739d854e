"""What pages show of the whole catalogue: years, a selection of films."""

from functools import lru_cache

import numpy as np

from hybrid.movie import Movie
from hybrid.query import FIELDS, NAMES, RANGES
from hybrid.storage.catalogue import Catalogue
from hybrid.storage.filter_columns import NUMBERS

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


@lru_cache(maxsize=1)
def filterable(catalogue: Catalogue) -> frozenset[str]:
    """Return the fields of a request that filter by what at least one film has."""
    columns = catalogue.columns
    ranges = [
        name
        for name, field in RANGES.items()
        if (columns.numbers[field] != NUMBERS[field][1]).any()
    ]
    names = [name for name, field in NAMES.items() if any(True for _ in columns.names[field])]
    fields = [FIELDS[name] for name in names] + ["exclude_genre"] * ("genres" in names)
    return frozenset(fields + [f"{name}_{end}" for name in ranges for end in ("from", "to")])
