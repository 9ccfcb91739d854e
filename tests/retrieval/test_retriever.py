"""Retrieval: what is in the two lists, and what is asked of the engines."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from hybrid.movie import Movie
from hybrid.query import Filters, SearchQuery
from hybrid.search import HybridSearch
from tests.fakes import FakeLexical
from tests.small import open_small

FILMS = [
    Movie(id=2, title="Lantern of the Northern Shore", year=1950),
    Movie(id=3, title="Lantern Bay", year=1960),
    Movie(id=5, title="Lantern Street", year=1970),
    Movie(id=7, title="Lantern", year=1980),
    Movie(id=11, title="Lantern Bay", year=1990),
    Movie(id=13, title="Something Else", year=1990, description="A lantern. A boat. A shore."),
]

UNKNOWN = Movie(id=4, title="Lantern", description="A lantern of a generation to come.")


@pytest.fixture
def titled(tmp_path: Path) -> Iterator[HybridSearch]:
    """Give a search of depth 3 whose keyword engine finds nothing: titles are all there is."""
    search = open_small(tmp_path, FILMS, FakeLexical(), depth=3)
    yield search
    search.close()


@pytest.fixture
def worded(tmp_path: Path) -> Iterator[HybridSearch]:
    """Give a search whose keyword engine knows a film more than the catalogue."""
    search = open_small(tmp_path, FILMS, FakeLexical([*FILMS, UNKNOWN]))
    yield search
    search.close()


@pytest.mark.parametrize(
    ("filters", "listed"),
    [
        (Filters(), [3, 7, 11]),
        (Filters(year_to=1975), [2, 3, 5]),
        (Filters(year_from=1985), [11]),
        (Filters(year_from=1991), []),
    ],
)
def test_the_title_list_has_the_nearest_that_the_filters_allow(
    titled: HybridSearch, filters: Filters, listed: list[int]
) -> None:
    """As many as the depth says, chosen after the filters; a title that is far is in no list."""
    query = SearchQuery(text="lantern", filters=filters, mode="keyword")
    candidates = titled.retrieve(query)
    assert candidates.words.ids[candidates.found].tolist() == listed
    assert (candidates.titles[candidates.found] > 0).all()


def test_films_that_the_catalogue_lacks_are_left_out(worded: HybridSearch) -> None:
    """Elasticsearch may hold films of another generation: they are no candidates."""
    candidates = worded.retrieve(SearchQuery(text="lantern", mode="keyword"))
    assert candidates.words.ids.tolist() == [2, 3, 5, 7, 11, 13]
    assert candidates.found.all()
    assert (candidates.words.bm25 > 0).all()


@pytest.mark.parametrize(
    ("text", "weights"),
    [
        ("one two three four five six", (1.0,)),
        ("one two three four five six seven", (0.6, 0.2, 0.2)),
    ],
)
def test_seven_words_tell_a_plot(
    worded: HybridSearch, text: str, weights: tuple[float, ...]
) -> None:
    """From seven words on three sentences count, below the best alone."""
    meaning = worded.retrieve(SearchQuery(text=text)).meaning
    assert meaning
    assert meaning.weights == weights


def test_what_only_asks_is_not_searched_for(worded: HybridSearch) -> None:
    """The keyword engine is asked for the wording; a title may be what is left of a question."""
    asked = worded.retrieve(SearchQuery(text="looking for lantern", mode="keyword"))
    alone = worded.retrieve(SearchQuery(text="lantern", mode="keyword"))
    assert asked.words.bm25.tolist() == alone.words.bm25.tolist()
    assert asked.words.shares.tolist() == alone.words.shares.tolist()
    assert asked.titles[asked.words.ids == 7] == 0.95


@pytest.mark.parametrize("known", [True, False])
def test_whether_any_film_holds_a_word_is_known(worded: HybridSearch, known: bool) -> None:
    """A word in any film is known, whether the filters allow that film or not."""
    text = "boat" if known else "xyzzy"
    query = SearchQuery(text=text, filters=Filters(year_to=1960))
    assert worded.retrieve(query).words.known is known
