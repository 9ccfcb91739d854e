"""Suggestions of a search, on the embedded engine and without one."""

from collections.abc import Iterator

import pytest

from hybrid.movie import Movie
from hybrid.query import SuggestQuery
from hybrid.schemas.suggest import Suggestion
from hybrid.search import HybridSearch
from hybrid.suggest import suggest
from tests import corpus
from tests.fakes import FakeLexical
from tests.small import open_small_embedded

MOVIES = [
    *corpus.films(100),
    Movie(id=9001, title="The Lorelei", year=1999, votes=10, cast=("Leonardo DiCaprio",)),
    Movie(id=9002, title="Lotus Eaters", original_title="Lotosesser", year=1931, votes=400),
    Movie(id=9003, title="Lost Luggage", votes=90, directors=("Louise-Anne O'Brien",)),
    Movie(
        id=9004, title="Lost Lotus", votes=1, cast=("Leonardo DiCaprio",), genres=("Love Story",)
    ),
    Movie(id=9005, title="The Quixotic Zeppelin", year=1940, votes=1),
]


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HybridSearch]:
    """Give a search over those films."""
    search = open_small_embedded(tmp_path_factory.mktemp("embedded"), MOVIES)
    yield search
    search.close()


def typed(search: HybridSearch, text: str, limit: int = 8) -> list[Suggestion]:
    """Return the suggestions for what is typed."""
    answer = suggest(search, SuggestQuery.model_validate({"q": text, "limit": limit}))
    return list(answer.suggestions)


def test_titles_people_and_genres(embedded: HybridSearch) -> None:
    """What begins like the typed text comes first, the kinds in turn, the best known first; each
    is spelled as films spell it, a film of two titles is there once."""
    found = [(s.kind, s.text) for s in typed(embedded, "lo")]
    assert found[:4] == [
        ("title", "Lotus Eaters"),
        ("person", "Louise-Anne O'Brien"),
        ("genre", "Love Story"),
        ("title", "Lost Luggage"),
    ]
    assert found.count(("title", "Lotus Eaters")) == 1
    assert [s.text for s in typed(embedded, "lo", limit=1)] == ["Lotus Eaters"]
    (person,) = typed(embedded, "dicap")
    assert person == Suggestion(
        kind="person", text="Leonardo DiCaprio", id=None, year=None, films=2
    )
    film = typed(embedded, "lorel")[0]
    assert film == Suggestion(kind="title", text="The Lorelei", id=9001, year=1999, films=None)


def test_typos(embedded: HybridSearch) -> None:
    """A wrong letter is forgiven everywhere, several in a title; noise suggests nothing."""
    assert typed(embedded, "lenardo di")[0].text == "Leonardo DiCaprio"
    assert typed(embedded, "lotsu e")[0].text == "Lotus Eaters"
    assert typed(embedded, "quiksotic zepelin")[0].text == "The Quixotic Zeppelin"
    assert typed(embedded, "xqzzkw vvw") == []
    assert typed(embedded, "?!") == []


@pytest.fixture(scope="module")
def lexical() -> FakeLexical:
    """Give a keyword side that can be away."""
    return FakeLexical(MOVIES)


def test_without_the_keyword_engine(search: HybridSearch, lexical: FakeLexical) -> None:
    """Suggestions need no engine: names are spelled as most are, and rightly once it is back."""
    lexical.away = True
    assert typed(search, "leonardo")[0].text == "Leonardo Dicaprio"
    lexical.away = False
    assert typed(search, "leonardo")[0].text == "Leonardo DiCaprio"
