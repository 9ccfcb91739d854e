"""An index of an earlier version may hold films far larger than what may be written now."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from hybrid.bounds import MAX_ANSWER_TEXT
from hybrid.movie import Movie
from hybrid.search import HybridSearch
from hybrid.web.app import create_app
from tests import corpus
from tests.web.http import Service, serving

TEXTS = [movie.description or "" for movie in corpus.films(60)]

MOVIES = [
    *corpus.films(20),
    *(
        Movie(
            id=1000 + n,
            title=f"Long Captain {n}",
            genres=tuple(f"Kind {n} {kind}" for kind in range(600)),
            description=" ".join((TEXTS[n:] + TEXTS[:n]) * 30),
        )
        for n in range(20)
    ),
]

RUNS = {f"r{n}": {"mode": "hybrid", "alpha": n / 7} for n in range(8)}

FULL = {"query": "captain mirror", "limit": 100, "explain": "full", "highlight": True}


@pytest.fixture(scope="module")
def service(search: HybridSearch) -> Iterator[Service]:
    """Give the service over a module with the large films."""
    with serving(create_app(search)) as running:
        yield running


@pytest.fixture
def small_answers(monkeypatch: pytest.MonkeyPatch) -> int:
    """Bound the text of answers at a fiftieth, as the films are a fiftieth of the largest."""
    monkeypatch.setattr("hybrid.bounds.MAX_ANSWER_TEXT", MAX_ANSWER_TEXT // 50)
    return MAX_ANSWER_TEXT // 50


def text_of(movie: dict[str, Any]) -> int:
    """Return the characters of the description and the genres."""
    return len(movie["description"] or "") + sum(map(len, movie["genres"]))


def test_a_comparison_has_each_film_once(service: Service, small_answers: int) -> None:
    """Eight full explanations of all films have their texts once and bounded, and are not eight
    times as long as one; candidates have 50 genres at most."""
    _, two = service.post("/compare", FULL | {"runs": {n: RUNS[n] for n in ("r0", "r7")}})
    status, answer = service.post("/compare", FULL | {"runs": RUNS})
    assert status == 200
    shown = [movie["details"] for movie in answer["movies"].values() if movie["details"]]
    assert len(shown) == len({each["movie"]["id"] for each in shown}) > 20
    assert sum(text_of(each["movie"]) for each in shown) <= small_answers + 4 * len(shown)
    assert max(len(movie["genres"]) for movie in answer["movies"].values()) == 50
    assert len(json.dumps(answer)) < 2 * len(json.dumps(two))
    assert any("too large to be shown whole" in warning for warning in answer["warnings"])


def test_a_search_shows_the_beginning(service: Service, small_answers: int) -> None:
    """Ranges of highlights are those of the text shown; the film by its id is whole."""
    _, answer = service.post("/search", FULL)
    assert len(answer["hits"]) > 20
    assert sum(text_of(hit["movie"]) for hit in answer["hits"]) <= small_answers + 400
    for hit in answer["hits"]:
        text = hit["movie"]["description"]
        for start, end in hit["highlight"]["description"]:
            assert text[start:end].lower() in ("captain", "mirror", "captains", "mirrors")
        _, film = service.get(f"/movies/{hit['id']}")
        assert film["description"].startswith(text.removesuffix(" ..."))
    assert max(len(service.get(f"/movies/{n}")[1]["genres"]) for n in (1000, 1001)) == 600


def test_pages_show_them(service: Service, small_answers: int) -> None:
    """The sentence that counts may be in the part that is not shown; genres on a page are few."""
    status, text, _ = service.page("/", q="captain mirror", limit=100)
    assert status == 200
    assert text.count('class="hit"') > 20
    assert text.count('name="genre"') <= 320


def test_films_of_ordinary_size_are_whole(service: Service) -> None:
    """Without a warning, however many are shown."""
    fields = FULL | {"runs": RUNS, "genre": ["drama"]}
    _, answer = service.post("/compare", fields)
    assert answer["movies"]
    assert answer["warnings"] == []
    for film, movie in answer["movies"].items():
        assert movie["details"]["movie"] == service.get(f"/movies/{film}")[1]
