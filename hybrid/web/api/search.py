"""The addresses of the service. Each reads fields, asks HybridSearch, and answers."""

from apiflask import APIBlueprint

from hybrid.comparison.compare import compare
from hybrid.schemas.comparison import CompareResponse
from hybrid.schemas.requests import CompareAddress, CompareBody, SearchAddress, SearchBody
from hybrid.schemas.search import ExplainResponse, SearchResponse
from hybrid.web.api.movies import film_id
from hybrid.web.request_search import lent_search

api = APIBlueprint("api", __name__)


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


@api.get("/explain/<movie_id>")
@api.input(SearchAddress, location="query", arg_name="fields")
@api.output(ExplainResponse)
def explain(movie_id: str, fields: SearchAddress) -> ExplainResponse:
    """Tell why a film, found or not, ranks where it does; in full unless a summary is asked."""
    search = lent_search()
    return search.explain(fields.as_query(search.preferences.default), film_id(movie_id))
