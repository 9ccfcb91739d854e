"""Facets: how many films have each genre, year, country and so on.

The filter by a facet itself is left out when the facet is counted, so that the count of a value
says what choosing it would give.
"""

from collections.abc import Callable, Mapping

import numpy as np

from hybrid.errors import EngineUnavailable
from hybrid.limits import NameField
from hybrid.query import FIELDS, NAMES, Facet, SearchQuery
from hybrid.schemas.facets import Counts, FacetValue
from hybrid.storage.filter_columns import FilterColumns
from hybrid.storage.rows import Mask

MAX_NAMES = 100
"""Genres, countries, languages or people that a facet has: those of most films."""

_FIELDS: Mapping[str, NameField] = {FIELDS[name]: field for name, field in NAMES.items()}


def count_facets(
    query: SearchQuery, columns: FilterColumns, films_of: Callable[[SearchQuery], Mask]
) -> Counts | None:
    """Return the values of each facet that `query` asks for, and how many films have them.

    None if an engine that knows the films does not answer.

    `films_of` returns the films that a query leaves to choose from, bool (films,); it is asked once
    for each query that lacks the filter by a facet. Names come in the order of their counts, years
    in theirs.
    """
    masks: dict[SearchQuery, Mask] = {}
    without = {facet: query.without_filter_by(facet) for facet in query.facets}
    try:
        for one in without.values():
            if one not in masks:
                masks[one] = films_of(one)
    except EngineUnavailable:
        return None
    return {facet: _values(facet, columns, masks[one]) for facet, one in without.items()}


def _values(facet: Facet, columns: FilterColumns, films: Mask) -> tuple[FacetValue, ...]:
    if facet in _FIELDS:
        names = columns.names[_FIELDS[facet]].most_frequent(films, MAX_NAMES)
        return tuple(FacetValue(value=name, count=count) for name, _, count in names)
    years = columns.years[films]
    years = years[years > 0]
    counts = np.bincount(years // 10 * 10 if facet == "decade" else years)
    return tuple(
        FacetValue(value=year, count=int(counts[year])) for year in np.flatnonzero(counts).tolist()
    )
