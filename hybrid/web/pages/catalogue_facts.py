"""What pages show of the whole catalogue: its years, and what it can be filtered by."""

from functools import lru_cache

from hybrid.query import FIELDS, NAMES, RANGES
from hybrid.storage.catalogue import Catalogue
from hybrid.storage.filter_columns import NUMBERS


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
