"""Changing single films while they are served: what the service asks of the write side."""

from collections.abc import Mapping
from typing import Any, Literal, Protocol

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


AT_ONCE = 16
"""Changes that wait to be published at the same time in one process; more are refused."""

Kind = Literal["added", "changed", "removed", "unchanged"]
"""What a change does to its film."""


class Written(BaseModel):
    """A change that is published: every process shows it within seconds."""

    model_config = ConfigDict(frozen=True)

    id: int
    change: Kind
    generation: str


class Writes(Protocol):
    """Changes films, one by one. Every method returns once its change is published.

    They raise TooManyChanges, BuildFailed, EngineUnavailable or GenerationUnusable where it cannot
    be: then nothing has changed. NotDurable is raised where the change is published but a power cut
    may undo it: then the same change, made again, puts it on the disk or raises again.
    """

    def put(self, film: int, values: Mapping[str, object]) -> Written:
        """Add a film, or replace the one of this id. Raises InvalidInput naming the fields."""
        ...

    def delete(self, film: int) -> Written:
        """Remove a film. Raises NotFound."""
        ...
