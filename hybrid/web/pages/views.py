"""The HTML pages: the search at /, the comparison at /side-by-side, films and their images."""

from collections.abc import Mapping, Sequence
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

from hybrid.browse import best_known, find
from hybrid.errors import EngineUnavailable, HybridError, InvalidInput
from hybrid.movie import Movie
from hybrid.query import FILTER_FIELDS, RankedQuery, SimilarQuery
from hybrid.retrieval.genre_names import genres_of
from hybrid.schemas.search import ExplainResponse, Hit
from hybrid.search import HybridSearch
from hybrid.similar import similar
from hybrid.web.errors import retry_after
from hybrid.web.pages.catalogue_facts import filterable, years_of
from hybrid.web.pages.counts import all_counts, counts_of
from hybrid.web.pages.examples import examples_of
from hybrid.web.pages.excerpts import foremost, passage, pieces
from hybrid.web.pages.film_facts import credits_of, facts_of, search_for, source_of
from hybrid.web.pages.form import LIMITS, PageForm
from hybrid.web.pages.reasons import likeness, reason
from hybrid.web.request_log import logged, note_error
from hybrid.web.request_search import request_deadline, request_search
from hybrid.web.tiles.tile import tile

pages = Blueprint("pages", __name__)

SHELF_LENGTH = 24
"""Number of films on the landing page."""

CHIPS = 16
"""Number of genres shown; the others are behind "more"."""

MAX_CHIPS = 300
"""Maximum number of genres on a page: the rest, if there are more, are in the URL only."""

PART_NAMES = {
    "text": "films with",
    "title": "titles with",
    "person": "films of",
    "genre": "the genre",
    "year": "the years",
    "like": "films like",
}
"""What a part of a query limits, by its field."""

SHELF_OF_SIMILAR = 8
"""Number of similar films on the page of a film."""

VIEW_PARAMETERS = ("film", "open")
"""URL parameters of the comparison that only concern what is shown."""

DAY = 24 * 60 * 60

for shared in (foremost, likeness, passage, pieces, reason, search_for):
    pages.add_app_template_global(shared)


@pages.app_template_filter()
def number(value: float) -> str:
    """Format a score with two decimals, or two significant digits below .1."""
    return f"{value:.2f}" if abs(value) >= 0.1 or value == 0 else f"{value:.2g}"


@pages.app_template_filter()
def capitalize_first(text: str) -> str:
    """Return `text` with its first letter in upper case and the others unchanged."""
    return text[:1].upper() + text[1:]


@pages.app_template_filter()
def ended(text: str) -> str:
    """Return `text` with a full stop at the end, unless it ends a sentence already."""
    return text if text.endswith((".", ".'", "?", "!")) else f"{text}."


@pages.get("/")
def search_page() -> Response:
    """Show the search form, and the films that are found or listed if the URL asks for any."""
    form, search = PageForm.of(request.args), request_search()
    if form.is_blank:
        return _landing(form)
    try:
        answer = logged(find(search, form.query(), request_deadline()))
    except (InvalidInput, EngineUnavailable) as error:
        return _page("results.html", form, problem=error)
    return _page("results.html", form, answer=answer)


def _landing(form: PageForm) -> Response:
    """Show the best known films, and a comparison of the first example that plays by itself."""
    search = request_search()
    examples = examples_of(search)
    return _page(
        "landing.html",
        form,
        shelf=best_known(search, SHELF_LENGTH),
        examples=examples,
        shown_query=examples[0] if examples else None,
    )


@pages.get("/similar/<int:film>")
def similar_page(film: int) -> Response:
    """Show the films that are like this one."""
    form, search = PageForm.of(request.args), request_search()
    movie = search.movie(film)
    try:
        query = SimilarQuery.of_film(film, form.ranked())
        answer = logged(similar(search, query, request_deadline()))
    except (InvalidInput, EngineUnavailable) as error:
        return _page("similar.html", form, problem=error, liked=movie)
    return _page("similar.html", form, answer=answer, liked=movie)


@pages.get("/films/<int:film>")
def film_page(film: int) -> Response:
    """Show a film, films like it, and, if the URL has a query, why that finds it."""
    form, search = PageForm.of(request.args), request_search()
    movie = search.movie(film)
    known: dict[str, Any] = {
        "movie": movie,
        "facts": facts_of(movie),
        "credits": credits_of(movie),
        "source": source_of(movie, search.source_format),
    }
    try:
        found = _found(search, film, form)
    except InvalidInput as error:
        return _page("film.html", form, problem=error, **known)
    return _page("film.html", form, found=found, similar=_like(search, film), **known)


def _found(search: HybridSearch, film: int, form: PageForm) -> ExplainResponse | None:
    """Return why the query of a form finds a film; None without a query, or without an engine."""
    if "q" not in form.fields:
        return None
    try:
        return search.explain(form.query(), film, request_deadline())
    except EngineUnavailable:
        return None


def _like(search: HybridSearch, film: int) -> Sequence[Hit]:
    """Return the films that are most like this one, none while the engines do not answer."""
    query = SimilarQuery.of_film(film, RankedQuery(limit=SHELF_OF_SIMILAR))
    try:
        return similar(search, query, request_deadline()).hits
    except EngineUnavailable:
        return ()


@pages.get("/side-by-side")
def side_by_side() -> Response:
    """Show the page of the comparison; its script requests /compare."""
    form = PageForm.of(request.args)
    if "q" not in form.fields:
        return _page("side_by_side.html", form, examples=examples_of(request_search()))
    try:
        form.without(*VIEW_PARAMETERS).query()
    except InvalidInput as error:
        return _page("side_by_side.html", form, problem=error)
    return _page("side_by_side.html", form, examples=examples_of(request_search()))


@pages.get("/tiles/<int:film>")
def tile_of(film: int) -> Response:
    """Return the image of a film: a redirect to its poster on the allowed host, or a drawn tile.

    With the parameter `drawn` always the tile: pages request it when a poster does not load.
    """
    movie = request_search().movie(film)
    poster = _poster(movie)
    if poster and "drawn" not in request.args:
        image = make_response(redirect(poster))
    else:
        image = Response(tile(movie), mimetype="image/svg+xml")
        image.add_etag()
        image.make_conditional(request)
    image.cache_control.max_age = DAY
    return image


def _poster(movie: Movie) -> str | None:
    """Return the URL of a film's poster if it is on the allowed host."""
    host = current_app.config["POSTER_HOST"]
    # A line break would end the header Location.
    if not host or not movie.thumbnail or not movie.thumbnail.isprintable():
        return None
    try:
        parts = urlsplit(movie.thumbnail)
    except ValueError:
        return None
    return movie.thumbnail if (parts.scheme, parts.netloc) == ("https", host) else None


def _page(
    template: str, form: PageForm, problem: HybridError | None = None, **more: Any
) -> Response:
    """Return a page with the fields as they were typed, and what is wrong with them."""
    if problem is not None:
        note_error(problem.code)
    search = request_search()
    here = "side_by_side" if template == "side_by_side.html" else "search_page"
    chosen = {name.casefold() for name in form.all("genre")}
    genres = genres_of(search.catalogue)
    # A chosen genre is never hidden behind "more".
    first = [genre for rank, genre in enumerate(genres) if rank < CHIPS or genre.key in chosen]
    body = render_template(
        template,
        asked=form,
        problem=problem,
        genres=first,
        more_genres=[genre for genre in genres[:MAX_CHIPS] if genre not in first],
        chosen=chosen,
        years=years_of(search.catalogue),
        filter_fields=list(FILTER_FIELDS),
        counts=counts_of(more.get("answer")) or all_counts(search.catalogue),
        filterable=filterable(search.catalogue),
        films=len(search.catalogue),
        generation=search.generation,
        link=lambda endpoint, **changes: _url(endpoint, form.but(**changes)),
        film_link=lambda film: _film_url(film, form),
        limits=[(says, _url(here, fields)) for says, fields in form.in_force()],
        without_limits=_url("search_page", form.without("limit", "cursor", *LIMITS).fields),
        part_names=PART_NAMES,
        without_part=lambda part: _url("search_page", form.without_part(part)),
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


def _film_url(film: int, form: PageForm) -> str:
    """Return the URL of a film's page, with the query that led to it."""
    fields = form.without("limit", "cursor", *VIEW_PARAMETERS).fields if "q" in form.fields else {}
    query = urlencode(fields, doseq=True)
    path = url_for("pages.film_page", film=film)
    return f"{path}?{query}" if query else path


def _status(problem: HybridError | None) -> HTTPStatus:
    if problem is None:
        return HTTPStatus.OK
    if isinstance(problem, InvalidInput):
        return HTTPStatus.UNPROCESSABLE_ENTITY
    return HTTPStatus.SERVICE_UNAVAILABLE
