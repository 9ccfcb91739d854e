"""The addresses of the service. Each reads fields, asks HybridSearch, and answers."""

from typing import Annotated, Literal

from apiflask import APIBlueprint
from pydantic import BaseModel, Field

from hybrid import errors
from hybrid.comparison import CompareResponse, compare
from hybrid.fields import CompareAddress, CompareBody, SearchAddress, SearchBody
from hybrid.movie import Movie
from hybrid.ranking import ExplainResponse, SearchResponse
from hybrid.web.films import film_id
from hybrid.web.lending import lent_search, problems

api = APIBlueprint("api", __name__)


class Live(BaseModel):
    """The process answers."""

    status: Literal["alive"] = "alive"


class Ready(BaseModel):
    """Whether searches are answered, and by which engines."""

    status: Literal["ready", "degraded"]
    generation: str
    movies: int
    engines: dict[str, Annotated[str, Field(description="ok, or what is wrong")]]
    problems: tuple[str, ...] = Field(
        description="why the generation served is not the published one, or not whole"
    )


@api.get("/search")
@api.input(SearchAddress, location="query", arg_name="fields")
@api.output(SearchResponse)
def search_address(fields: SearchAddress) -> SearchResponse:
    """Search for films by the words and the meaning of `q`."""
    search = lent_search()
    return search.search(fields.as_query(search.preferences.default))


@api.post("/search")
@api.input(SearchBody, arg_name="fields")
@api.output(SearchResponse)
def search_body(fields: SearchBody) -> SearchResponse:
    """Search for films by the words and the meaning of `query`."""
    search = lent_search()
    return search.search(fields.as_query(search.preferences.default))


@api.get("/compare")
@api.input(CompareAddress, location="query", arg_name="fields")
@api.output(CompareResponse)
def compare_address(fields: CompareAddress) -> CompareResponse:
    """Compare several rankings of one query."""
    return compare(lent_search(), fields.as_query(), fields.as_runs())


@api.post("/compare")
@api.input(CompareBody, arg_name="fields")
@api.output(CompareResponse)
def compare_body(fields: CompareBody) -> CompareResponse:
    """Compare several rankings of one query, measured where judgments are given."""
    return compare(lent_search(), fields.as_query(), fields.as_runs(), fields.judgments)


@api.get("/movies/<movie_id>")
@api.output(Movie)
def movie(movie_id: str) -> Movie:
    """Return one film."""
    return lent_search().movie(film_id(movie_id))


@api.get("/explain/<movie_id>")
@api.input(SearchAddress, location="query", arg_name="fields")
@api.output(ExplainResponse)
def explain(movie_id: str, fields: SearchAddress) -> ExplainResponse:
    """Tell why a film, found or not, ranks where it does; in full unless a summary is asked."""
    search = lent_search()
    return search.explain(fields.as_query(search.preferences.default), film_id(movie_id))


@api.get("/health/live")
@api.output(Live)
def live() -> Live:
    """Tell that the process answers."""
    return Live()


@api.get("/health/ready")
@api.output(Ready)
def ready() -> Ready:
    """Tell which engines answer. Without the keyword engine the service is degraded, not down."""
    search = lent_search()
    engines = {"keyword": "ok", "semantic": "ok"}
    try:
        search.lexical.check()
    except errors.EngineUnavailable as error:
        engines["keyword"] = error.message
    found = problems()
    return Ready(
        status="degraded" if found or engines["keyword"] != "ok" else "ready",
        generation=search.generation,
        movies=len(search.catalogue),
        engines=engines,
        problems=found,
    )
