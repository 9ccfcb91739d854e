"""Search, compare and explain: each endpoint validates a query and returns an answer."""

from apiflask import APIBlueprint
from flask import Response

from hybrid.browse import find
from hybrid.comparison.compare import compare
from hybrid.query import RankedQuery, SearchQuery, SimilarQuery, SuggestQuery
from hybrid.schemas.comparison import CompareResponse
from hybrid.schemas.requests import CompareRequest, CompareURL, ExplainURL, SearchURL
from hybrid.schemas.search import ExplainResponse, SearchResponse, SimilarResponse
from hybrid.schemas.suggest import SuggestResponse
from hybrid.similar import similar
from hybrid.suggest import suggest
from hybrid.web.api.movies import film_id
from hybrid.web.request_log import logged
from hybrid.web.request_search import request_deadline, request_search

api = APIBlueprint("api", __name__)


@api.get("/search")
@api.input(SearchURL, location="query", arg_name="query")
@api.output(SearchResponse)
def search_url(query: SearchURL) -> Response:
    """Search for films by the words and the meaning of `q`, or list them without it."""
    return json_response(find(request_search(), query, request_deadline()))


@api.post("/search")
@api.input(SearchQuery, arg_name="query")
@api.output(SearchResponse)
def search_body(query: SearchQuery) -> Response:
    """Search for films by the words and the meaning of `query`, or list them without it."""
    return json_response(find(request_search(), query, request_deadline()))


@api.get("/compare")
@api.input(CompareURL, location="query", arg_name="query")
@api.output(CompareResponse)
def compare_url(query: CompareURL) -> Response:
    """Compare several rankings of one query."""
    runs = query.as_runs()
    return json_response(compare(request_search(), query, runs, deadline=request_deadline()))


@api.post("/compare")
@api.input(CompareRequest, arg_name="query")
@api.output(CompareResponse)
def compare_body(query: CompareRequest) -> Response:
    """Compare several rankings of one query, measured where judgments are given."""
    runs, judgments = query.as_runs(), query.judgments
    return json_response(compare(request_search(), query, runs, judgments, request_deadline()))


@api.get("/movies/<movie_id>/similar")
@api.input(RankedQuery, location="query", arg_name="query")
@api.output(SimilarResponse)
def similar_url(movie_id: str, query: RankedQuery) -> Response:
    """Find films like this one, by its telling words and its meaning."""
    liked = SimilarQuery.of_film(film_id(movie_id), query)
    return json_response(similar(request_search(), liked, request_deadline()))


@api.post("/similar")
@api.input(SimilarQuery, arg_name="query")
@api.output(SimilarResponse)
def similar_body(query: SimilarQuery) -> Response:
    """Find films like one of the catalogue, or like a text."""
    return json_response(similar(request_search(), query, request_deadline()))


@api.get("/suggest")
@api.input(SuggestQuery, location="query", arg_name="query")
@api.output(SuggestResponse)
def suggest_url(query: SuggestQuery) -> Response:
    """Suggest titles, people and genres that begin like `q`, or nearly."""
    return json_response(suggest(request_search(), query))


@api.get("/explain/<movie_id>")
@api.input(ExplainURL, location="query", arg_name="query")
@api.output(ExplainResponse)
def explain(movie_id: str, query: ExplainURL) -> Response:
    """Explain the rank of a film, found or not; in full unless a summary is requested."""
    film = film_id(movie_id)
    return json_response(request_search().explain(query, film, request_deadline()))


def json_response(
    answer: SearchResponse | CompareResponse | ExplainResponse | SimilarResponse | SuggestResponse,
) -> Response:
    """Return the answer as JSON, written by pydantic, which is faster than the framework."""
    return Response(logged(answer).model_dump_json(), mimetype="application/json")
