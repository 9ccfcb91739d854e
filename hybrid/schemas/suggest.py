"""Suggestions for a query that is being typed."""

from typing import Literal

from pydantic import Field

from hybrid.query import SuggestQuery
from hybrid.schemas.base import ResponseModel


class Suggestion(ResponseModel):
    """A title, a person or a genre that what is typed may become."""

    kind: Literal["title", "person", "genre"]
    text: str = Field(description="as the catalogue spells it")
    id: int | None = Field(description="of the film; null for a person or a genre")
    year: int | None = Field(description="of the film; null for a person or a genre")
    films: int | None = Field(description="number of films of a person or genre; null for a film")


class SuggestResponse(ResponseModel):
    """The suggestions, best first. It always has the same keys."""

    query: SuggestQuery
    suggestions: tuple[Suggestion, ...]
    timings_ms: dict[str, float]
    generation: str
    degraded: tuple[str, ...] = Field(description="always empty: no engine is needed")
