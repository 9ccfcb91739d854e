"""The pages for people: a search at / and the three rankings beside each other."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode, urlsplit

from flask import (
    Blueprint,
    Response,
    current_app,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)

from hybrid.errors import EngineUnavailable, HybridError, InvalidInput
from hybrid.movie import Movie
from hybrid.web.errors import retry_after
from hybrid.web.pages.catalogue_facts import genres_of, shelf_of, years_of
from hybrid.web.pages.excerpts import passage, pieces
from hybrid.web.pages.form import PageForm
from hybrid.web.request_search import request_search
from hybrid.web.tiles.tile import tile

pages = Blueprint("pages", __name__)

CHIPS = 16
"""Genres that are shown; the others are behind "more"."""

EXAMPLES = (
    "a rich girl falls for a penniless artist",
    "warriors defend a village",
    "heist",
)

OF_THE_VIEW = ("film", "open")
"""What an address of the comparison says of the view alone."""

DAY = 24 * 60 * 60

pages.add_app_template_global(passage)

pages.add_app_template_global(pieces)


@pages.app_template_filter()
def number(value: float) -> str:
    """Write a score with two decimals, or as many as it takes to see it."""
    return f"{value:.2f}" if abs(value) >= 0.1 or value == 0 else f"{value:.2g}"


@pages.app_template_filter()
def capitalize_first(text: str) -> str:
    """Begin a sentence with `text`, whose other letters stay as they are."""
    return text[:1].upper() + text[1:]


@pages.app_template_filter()
def ended(text: str) -> str:
    """End a sentence with a full stop, if it has none, be it within a quotation."""
    return text if text.endswith((".", ".'", "?", "!")) else f"{text}."


@pages.get("/")
def search_page() -> Response:
    """Show the search, and what it found where something was asked."""
    asked = PageForm.of(request.args)
    if "q" not in asked.fields:
        return _page(
            "landing.html", asked, shelf=shelf_of(request_search().catalogue), examples=EXAMPLES
        )
    search = request_search()
    try:
        answer = search.search(asked.query())
    except (InvalidInput, EngineUnavailable) as error:
        return _page("results.html", asked, problem=error)
    return _page("results.html", asked, answer=answer)


@pages.get("/side-by-side")
def side_by_side() -> Response:
    """Show where the rankings are compared; the browser asks for what they found."""
    asked = PageForm.of(request.args)
    if "q" not in asked.fields:
        return _page("side_by_side.html", asked, examples=EXAMPLES)
    try:
        asked.without(*OF_THE_VIEW).query()
    except InvalidInput as error:
        return _page("side_by_side.html", asked, problem=error)
    return _page("side_by_side.html", asked, examples=EXAMPLES)


@pages.get("/tiles/<int:film>")
def tile_of(film: int) -> Response:
    """Return a film's picture: the drawn one, or its poster from the one host that is allowed.

    `drawn` in the address asks for the drawn one, which pages do where a poster does not load.
    """
    movie = request_search().movie(film)
    poster = _poster(movie)
    if poster and "drawn" not in request.args:
        return make_response(redirect(poster))
    drawn = Response(tile(movie), mimetype="image/svg+xml")
    drawn.cache_control.max_age = DAY
    return drawn


def _poster(movie: Movie) -> str | None:
    """Return the address of a film's poster where its host is the one that is allowed."""
    host = current_app.config["POSTER_HOST"]
    # A line break would be one of the answer's headers.
    if not host or not movie.thumbnail or not movie.thumbnail.isprintable():
        return None
    try:
        parts = urlsplit(movie.thumbnail)
    except ValueError:
        return None
    return movie.thumbnail if (parts.scheme, parts.netloc) == ("https", host) else None


def _page(
    template: str, asked: PageForm, problem: HybridError | None = None, **more: Any
) -> Response:
    """Return a page with the fields as they were typed, and what is wrong with them if need be."""
    search = request_search()
    chosen = {name.casefold() for name in asked.all("genre")}
    genres = genres_of(search.catalogue)
    # A chosen genre is never hidden behind "more".
    first = [genre for place, genre in enumerate(genres) if place < CHIPS or genre.key in chosen]
    body = render_template(
        template,
        asked=asked,
        problem=problem,
        genres=first,
        more_genres=[genre for genre in genres if genre not in first],
        chosen=chosen,
        years=years_of(search.catalogue),
        films=len(search.catalogue),
        generation=search.generation,
        link=lambda endpoint, **changes: _url(endpoint, asked.but(**changes)),
        **more,
    )
    status = _status(problem)
    page = make_response(body, status, retry_after(status))
    page.vary.add("Accept")
    return page


def _url(endpoint: str, fields: Mapping[str, object]) -> str:
    """Return the URL of a page with these fields as its query string.

    `url_for` alone would take parameters such as `endpoint` or `_external` for its own arguments.
    """
    query = urlencode(fields, doseq=True)
    path = url_for(f"pages.{endpoint}")
    return f"{path}?{query}" if query else path


def _status(problem: HybridError | None) -> HTTPStatus:
    if problem is None:
        return HTTPStatus.OK
    if isinstance(problem, InvalidInput):
        return HTTPStatus.UNPROCESSABLE_ENTITY
    return HTTPStatus.SERVICE_UNAVAILABLE
