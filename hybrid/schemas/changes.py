"""Changes of single films over HTTP: the bodies of requests and answers."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, RootModel

from hybrid.bounds import add_bounds
from hybrid.movie import Movie


def _film_without_id(schema: dict[str, Any]) -> None:
    """Set the JSON schema of a film without its id and with its bounds, for OpenAPI."""
    film = Movie.model_json_schema()
    del film["properties"]["id"]
    add_bounds(film["properties"])
    heading = {name: schema[name] for name in ("title", "description")}
    schema |= film | heading | {"required": ["title"], "additionalProperties": False}


class MovieBody(RootModel[dict[str, object]]):
    """A film in a body. Its id is in the URL; the writer validates its fields."""

    model_config = ConfigDict(json_schema_extra=_film_without_id)


Kind = Literal["added", "changed", "removed", "unchanged"]
"""The effect of a change on its film."""


class ChangeURL(BaseModel):
    """The fields of a change in its URL."""

    model_config = ConfigDict(extra="forbid")

    wait: Literal["shown"] | None = Field(
        None, description="shown: answer once this process shows the change, or after ten seconds"
    )


class ChangeResponse(BaseModel):
    """A published change. Every process shows it within seconds."""

    model_config = ConfigDict(frozen=True)

    id: int
    change: Kind
    generation: str
    etag: str | None = Field(None, description="ETag of the film now, null if it was removed")
    shown: bool | None = Field(
        None, description="whether this process shows the change; null without wait=shown"
    )
