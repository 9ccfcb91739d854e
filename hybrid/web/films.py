"""Films by id: shown to everybody, changed where that is allowed."""

from apiflask import APIBlueprint
from flask import current_app
from pydantic import BaseModel

from hybrid import errors
from hybrid.movie import MAX_ID
from hybrid.writes import MovieBody, Writes, Written

writes = APIBlueprint("writes", __name__)


@writes.put("/movies/<movie_id>")
@writes.input(MovieBody, arg_name="fields")
@writes.output(Written)
def put_movie(movie_id: str, fields: BaseModel) -> Written:
    """Add a film, or replace the one of this id. The answer comes once that is published."""
    return _writes().put(film_id(movie_id), fields.model_dump(exclude_unset=True, mode="json"))


@writes.delete("/movies/<movie_id>")
@writes.output(Written, status_code=200)
def delete_movie(movie_id: str) -> Written:
    """Remove a film. The answer comes once that is published."""
    return _writes().delete(film_id(movie_id))


def film_id(text: str) -> int:
    """Return the id that an address names. Raises InvalidInput, or NotFound beyond all ids."""
    if not (text.isascii() and text.isdecimal()):
        problem = "is not an id: ids are whole numbers, such as 111161"
        raise errors.InvalidInput(f"'{text}' {problem}", {"id": problem})
    significant = text.lstrip("0") or "0"
    if len(significant) > len(str(MAX_ID)) or int(significant) > MAX_ID:
        raise errors.NotFound("there is no film with so large an id", {"id": "unknown"})
    return int(significant)


def _writes() -> Writes:
    found: Writes | None = current_app.extensions["writes"]
    if found is None:
        raise errors.WritesOff(
            "this service changes no films: start it with HYBRID_WRITES=on, or use "
            "`python -m indexer upsert` and `delete`"
        )
    return found
