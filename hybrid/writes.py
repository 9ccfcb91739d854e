"""Changing single films while they are served: what the service asks of the write side."""

from collections.abc import Mapping
from typing import Any, Literal, Protocol

from pydantic import BaseModel, ConfigDict, create_model

from hybrid.movie import Movie

_FIELDS: dict[str, Any] = {
    name: (field.annotation, field) for name, field in Movie.model_fields.items() if name != "id"
}

MovieBody = create_model("MovieBody", __config__=ConfigDict(frozen=True, extra="forbid"), **_FIELDS)
"""A film as a body gives it; its id is in the address."""


class Written(BaseModel):
    """A change that is published: every process shows it within seconds."""

    model_config = ConfigDict(frozen=True)

    id: int
    change: Literal["added", "changed", "removed", "unchanged"]
    generation: str


class Writes(Protocol):
    """Changes films, one by one. Every method returns once its change is published.

    They raise BuildFailed or EngineUnavailable where it cannot be: then nothing has changed.
    """

    def put(self, film: int, values: Mapping[str, object]) -> Written:
        """Add a film, or replace the one of this id. Raises InvalidInput naming the fields."""
        ...

    def delete(self, film: int) -> Written:
        """Remove a film. Raises NotFound."""
        ...

    def close(self) -> None:
        """Publish what is waiting, and take nothing more."""
        ...
