"""Similar films over HTTP and on the page: fields, shape and errors."""

from collections.abc import Iterator

import pytest

from hybrid.search import HybridSearch
from hybrid.web.app import create_app
from tests import corpus
from tests.web.api.test_search import HIT_KEYS, RESPONSE_KEYS
from tests.web.http import Service, serving

MOVIES = corpus.films(200)

FILM = next(movie for movie in MOVIES if movie.description)


@pytest.fixture(scope="module")
def service(search: HybridSearch) -> Iterator[Service]:
    """Give the service."""
    with serving(create_app(search)) as running:
        yield running


OF_SEARCHES_ALONE = ("confident", "facets", "next_cursor", "understood")


def test_twins_answer_alike(service: Service) -> None:
    """A film's URL and a body with its id get the same answer, in the shape of a search."""
    fields = {"genre": ["drama", "Komödie"], "year_from": 1955, "explain": "full", "alpha": 0.3}
    status, by_url = service.get(f"/movies/{FILM.id}/similar", **fields)
    assert status == 200
    status, by_body = service.post("/similar", {"id": FILM.id} | fields)
    assert status == 200
    assert (
        list(by_url)
        == list(by_body)
        == [key for key in RESPONSE_KEYS if key not in OF_SEARCHES_ALONE]
    )
    assert by_url["hits"] == by_body["hits"]
    assert by_url["query"] == by_body["query"]
    assert by_url["query"].items() >= {"id": FILM.id, "query": None, "alpha": 0.3}.items()
    assert list(by_url["hits"][0]) == HIT_KEYS
    assert all(hit["why"]["summary"] for hit in by_url["hits"])
    assert FILM.id not in {hit["id"] for hit in by_url["hits"]}


def test_like_a_text(service: Service) -> None:
    """A film whose description is sent is what is most like it."""
    status, answer = service.post("/similar", {"query": FILM.description, "mode": "semantic"})
    assert status == 200
    assert answer["hits"][0]["id"] == FILM.id
    assert answer["query"]["query"] == FILM.description


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "query"),
        ({"id": FILM.id, "query": "a robot"}, "query"),
        ({"query": "x" * 5001}, "query"),
        ({"id": -1}, "id"),
        ({"id": FILM.id, "unheard": 1}, "unheard"),
    ],
)
def test_wrong_bodies(service: Service, body: dict[str, object], field: str) -> None:
    """Each is an error that names the field."""
    status, answer = service.post("/similar", body)
    assert status == 422
    assert field in answer["error"]["fields"]


def test_unknown_films_and_fields(service: Service) -> None:
    """A film that is not there is 404, the text of a query no field of a film's URL."""
    assert service.get("/movies/77777/similar")[0] == 404
    assert service.get("/movies/many/similar")[0] == 422
    status, answer = service.get(f"/movies/{FILM.id}/similar", q="robot")
    assert (status, list(answer["error"]["fields"])) == (422, ["q"])
