"""The addresses of the service. Each reads fields, asks HybridSearch, and answers."""

from apiflask import APIBlueprint

from hybrid.comparison.compare import compare
from hybrid.schemas.comparison import CompareResponse
from hybrid.schemas.requests import CompareRequest, CompareURL, SearchRequest, SearchURL
from hybrid.schemas.search import ExplainResponse, SearchResponse
from hybrid.web.api.movies import film_id
from hybrid.web.request_search import request_search

api = APIBlueprint("api", __name__)


@api.get("/search")
@api.input(SearchURL, location="query", arg_name="fields")
@api.output(SearchResponse)
def search_address(fields: SearchURL) -> SearchResponse:
    """Search for films by the words and the meaning of `q`."""
    search = request_search()
    return search.search(fields.as_query(search.preferences.default))


@api.post("/search")
@api.input(SearchRequest, arg_name="fields")
@api.output(SearchResponse)
def search_body(fields: SearchRequest) -> SearchResponse:
    """Search for films by the words and the meaning of `query`."""
    search = request_search()
    return search.search(fields.as_query(search.preferences.default))


@api.get("/compare")
@api.input(CompareURL, location="query", arg_name="fields")
@api.output(CompareResponse)
def compare_address(fields: CompareURL) -> CompareResponse:
    """Compare several rankings of one query."""
    return compare(request_search(), fields.as_query(), fields.as_runs())


@api.post("/compare")
@api.input(CompareRequest, arg_name="fields")
@api.output(CompareResponse)
def compare_body(fields: CompareRequest) -> CompareResponse:
    """Compare several rankings of one query, measured where judgments are given."""
    return compare(request_search(), fields.as_query(), fields.as_runs(), fields.judgments)


@api.get("/explain/<movie_id>")
@api.input(SearchURL, location="query", arg_name="fields")
@api.output(ExplainResponse)
def explain(movie_id: str, fields: SearchURL) -> ExplainResponse:
    """Tell why a film, found or not, ranks where it does; in full unless a summary is asked."""
    search = request_search()
    return search.explain(fields.as_query(search.preferences.default), film_id(movie_id))
