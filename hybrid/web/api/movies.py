"""Films by id: GET, and PUT and DELETE if the service accepts changes."""

from apiflask import APIBlueprint
from flask import current_app, request

from hybrid import errors
from hybrid.movie import MAX_ID, Movie
from hybrid.schemas.changes import ChangeResponse, MovieBody
from hybrid.serving.writes import Writes
from hybrid.web.request_search import request_search

films = APIBlueprint("films", __name__)


@films.get("/movies/<movie_id>")
@films.output(Movie)
def movie(movie_id: str) -> Movie:
    """Return one film."""
    return request_search().movie(film_id(movie_id))


@films.put("/movies/<movie_id>")
@films.input(MovieBody, arg_name="fields")
@films.output(ChangeResponse)
def put_movie(movie_id: str, fields: MovieBody) -> ChangeResponse:
    """Add or replace a film. The response comes once the change is published."""
    if "id" in fields.root:
        problem = "is unknown: the id is in the URL"
        raise errors.InvalidInput(f"id: {problem}", {"id": problem})
    return _writes().put(film_id(movie_id), fields.root)


@films.delete("/movies/<movie_id>")
@films.output(ChangeResponse, status_code=200)
def delete_movie(movie_id: str) -> ChangeResponse:
    """Remove a film. The response comes once the change is published."""
    return _writes().delete(film_id(movie_id))


@films.before_request
def _refuse_changes() -> None:
    """Refuse a change before anything else about it is checked."""
    if request.method in ("PUT", "DELETE"):
        _writes()


def _writes() -> Writes:
    writes: Writes | None = current_app.extensions["writes"]
    if writes is None:
        raise errors.WritesOff(
            "this service accepts no changes: start it with HYBRID_WRITES=on, or use "
            "`python -m indexer upsert` and `delete`"
        )
    return writes


def film_id(text: str) -> int:
    """Return the id in a URL. Raises InvalidInput, or NotFound where it exceeds all ids."""
    if not (text.isascii() and text.isdecimal()):
        problem = "is not an id: ids are whole numbers, such as 111161"
        raise errors.InvalidInput(f"'{text}' {problem}", {"id": problem})
    significant = text.lstrip("0") or "0"
    if len(significant) > len(str(MAX_ID)) or int(significant) > MAX_ID:
        raise errors.NotFound("there is no film with so large an id", {"id": "unknown"})
    return int(significant)
