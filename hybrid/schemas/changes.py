"""Changing single films while they are served: what the service asks of the write side."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, RootModel

from hybrid.movie import Movie


def _film_without_id(schema: dict[str, Any]) -> None:
    """Describe a film but for its id, as OpenAPI has it."""
    film = Movie.model_json_schema()
    del film["properties"]["id"]
    kept = {name: schema[name] for name in ("title", "description")}
    schema |= film | kept | {"required": ["title"], "additionalProperties": False}


class MovieBody(RootModel[dict[str, object]]):
    """A film as a body gives it; its id is in the address, its fields are checked by who writes."""

    model_config = ConfigDict(json_schema_extra=_film_without_id)


Kind = Literal["added", "changed", "removed", "unchanged"]
"""What a change does to its film."""


class ChangeResponse(BaseModel):
    """A change that is published: every process shows it within seconds."""

    model_config = ConfigDict(frozen=True)

    id: int
    change: Kind
    generation: str
