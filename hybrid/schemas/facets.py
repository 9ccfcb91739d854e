"""Facets: how many films have each value."""

from collections.abc import Mapping

from pydantic import Field

from hybrid.query import Facet
from hybrid.schemas.base import ResponseModel


class FacetValue(ResponseModel):
    """A genre, country, language or person as most films spell it, or a year or decade."""

    value: str | int
    count: int = Field(description="how many films have it")


Counts = Mapping[Facet, tuple[FacetValue, ...]]
"""The values of each facet: names by their counts, at most 100; years and decades in order."""


class Facets(ResponseModel):
    """How many films have each value of each facet, in two scopes.

    Where the query filters by a facet, that filter is left out when the facet is counted.
    """

    filters: Counts | None = Field(
        description="of all films that the filters and conditions allow, whatever the text; null "
        "if the keyword engine, which knows the conditions, does not answer"
    )
    candidates: Counts | None = Field(
        description="of the films that the list would have, all pages together; null without a "
        "text, or if an engine ceased to answer"
    )
