"""Films by id: GET, and PUT and DELETE if the service accepts changes."""

from threading import BoundedSemaphore

from apiflask import APIBlueprint
from flask import Response, after_this_request, current_app, request
from werkzeug.datastructures import ETags

from hybrid import errors
from hybrid.movie import MAX_ID, Movie
from hybrid.schemas.changes import ChangeResponse, ChangeURL, MovieBody
from hybrid.serving.writes import ANY, AT_ONCE, Condition, Terms, Writes
from hybrid.web.request_access import key_id
from hybrid.web.request_search import live, request_search

films = APIBlueprint("films", __name__)

SHOWN_WITHIN = 10.0
"""Seconds that a change waits at most until this process shows it."""

_waiting = BoundedSemaphore(AT_ONCE)
"""Those that wait occupy a thread each; more are answered at once."""


@films.get("/movies/<movie_id>")
@films.output(Movie)
@films.doc(responses={304: "The film still has the ETag of If-None-Match"})
def movie(movie_id: str) -> Movie:
    """Return one film, with an ETag that changes whenever the film does."""
    search, film = request_search(), film_id(movie_id)
    found = search.movie(film)
    content = search.catalogue.content(film)

    @after_this_request
    def add_etag(response: Response) -> Response:
        response.set_etag(str(content))
        response.make_conditional(request)
        return response

    return found


@films.put("/movies/<movie_id>")
@films.input(ChangeURL, location="query", arg_name="fields")
@films.input(MovieBody, arg_name="body")
@films.output(ChangeResponse)
def put_movie(movie_id: str, fields: ChangeURL, body: MovieBody) -> ChangeResponse:
    """Add or replace a film. The response comes once the change is published.

    With If-Match only if the film has that ETag, with `If-None-Match: *` only if there is none.
    """
    if "id" in body.root:
        problem = "is unknown: the id is in the URL"
        raise errors.InvalidInput(f"id: {problem}", {"id": problem})
    return _shown(_writes().put(film_id(movie_id), body.root, _terms()), fields)


@films.delete("/movies/<movie_id>")
@films.input(ChangeURL, location="query", arg_name="fields")
@films.output(ChangeResponse, status_code=200)
def delete_movie(movie_id: str, fields: ChangeURL) -> ChangeResponse:
    """Remove a film, with If-Match only if it has that ETag.

    The response comes once the change is published.
    """
    return _shown(_writes().delete(film_id(movie_id), _terms()), fields)


def _shown(response: ChangeResponse, fields: ChangeURL) -> ChangeResponse:
    """Return the response once this process shows the change, if that was asked for."""
    if fields.wait is None:
        return response
    seconds = SHOWN_WITHIN if _waiting.acquire(blocking=False) else 0.0
    try:
        shown = live().wait_for(response.generation, seconds)
    finally:
        if seconds:
            _waiting.release()
    return response.model_copy(update={"shown": shown})


def _terms() -> Terms:
    """Return the condition of the headers of this request, and its key."""
    return Terms(
        Condition(
            _contents("If-Match", request.if_match),
            _contents("If-None-Match", request.if_none_match),
        ),
        key_id(),
    )


def _contents(header: str, tags: ETags) -> frozenset[str] | None:
    """Return the contents that a header names, None if it was not sent.

    Weak tags name none: both headers are about exactly this film.
    """
    if header not in request.headers:
        return None
    return frozenset({ANY} if tags.star_tag else tags.as_set() - {ANY})


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
