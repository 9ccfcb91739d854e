"""Browsing: all films that the filters allow, in the order asked for, page after page."""

import random
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from math import log
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybrid.browse import best_known, find
from hybrid.cursor import Place, write_place
from hybrid.errors import EngineUnavailable, InvalidInput
from hybrid.movie import Movie
from hybrid.query import Filters, Fusion, SearchQuery
from hybrid.query_language.language import conditions_of, field_parts, read
from hybrid.retrieval.film_orders import title_keys
from hybrid.retrieval.known_films import shares_known
from hybrid.schemas.search import SearchResponse
from hybrid.search import HybridSearch
from hybrid.storage.generation import open_current
from hybrid.text.normalise import plain
from tests import corpus
from tests.fakes import FakeLexical
from tests.stores import build_stores, open_stores, put, remove
from tests.test_paging import WALKS
from tests.web.http import Service


def rated(movies: list[Movie], seed: int = 5) -> list[Movie]:
    """Give most films votes and a rating, many of them the same."""
    choose = random.Random(seed)
    return [
        movie.model_copy(
            update={
                "votes": choose.choice([None, 0, 5, 5, 700, choose.randint(1, 10**6)]),
                "rating": choose.choice([None, 0.0, 7.5, 7.5, choose.randint(0, 100) / 10]),
            }
        )
        for movie in movies
    ]


MOVIES = rated(corpus.films(300))

SORTS = ("relevance", "year", "title", "rating", "votes")


def title_key(movie: Movie) -> str:
    """Return what a title is ordered by, written down again."""
    words = plain(movie.title).split()
    return " ".join(words[1:] if len(words) > 1 and words[0] in ("a", "an", "the") else words)


VALUES: dict[str, Callable[[Movie], Any]] = {
    "relevance": lambda movie: movie.votes or 0,
    "year": lambda movie: movie.year,
    "title": title_key,
    "rating": lambda movie: movie.rating,
    "votes": lambda movie: movie.votes,
}


def in_order(movies: list[Movie], sort: str, order: str) -> list[int]:
    """Return the ids of films in an order, by Python's own sorting."""
    value = VALUES[sort]
    without = sorted(movie.id for movie in movies if value(movie) is None)
    found = sorted((m for m in movies if value(m) is not None), key=lambda movie: movie.id)
    found.sort(key=value, reverse=order == "desc")
    return [movie.id for movie in found] + without


def pages(ask: Callable[[SearchQuery], SearchResponse], **fields: Any) -> list[SearchResponse]:
    """Return all pages of a list."""
    cursor, answers = None, []
    while True:
        answer = ask(SearchQuery.model_validate(fields | {"cursor": cursor}))
        answers.append(answer)
        cursor = answer.next_cursor
        if cursor is None:
            return answers


@given(
    filters=st.sampled_from([*corpus.filters(60), *corpus.filters(5, seed=1)]),
    sort=st.sampled_from(SORTS),
    order=st.sampled_from([None, "asc", "desc"]),
    limit=st.integers(1, 100),
)
@settings(max_examples=WALKS)
def test_a_list_has_every_film_in_order(
    search: HybridSearch, filters: Filters, sort: str, order: str | None, limit: int
) -> None:
    """Page after page it has all films that match the filters, each once, in the order of its sort:
    those without the value last, equal ones by id. The total counts them."""
    query = SearchQuery.filtered("a", filters).model_dump(exclude={"text", "mode"}, by_alias=False)
    given = query | {"sort": sort, "order": order, "limit": limit}
    answers = pages(lambda asked: find(search, asked), **given)
    films = [movie for movie in MOVIES if filters.matches(movie)]
    expected = in_order(films, sort, order or ("asc" if sort == "title" else "desc"))
    hits = [hit for answer in answers for hit in answer.hits]
    assert [hit.id for hit in hits] == expected
    assert [hit.rank for hit in hits] == list(range(1, len(films) + 1))
    assert {answer.total.value for answer in answers} == {len(films)}
    assert {(hit.keyword.share, hit.semantic.score, hit.why) for hit in hits} <= {(None,) * 3}


@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize("order", ["asc", "desc"])
def test_pages_of_all_films(search: HybridSearch, sort: str, order: str) -> None:
    """Many pages begin among films of equal values, and among those without one."""
    answers = pages(lambda asked: find(search, asked), sort=sort, order=order, limit=7)
    assert [hit.id for a in answers for hit in a.hits] == in_order(MOVIES, sort, order)


@pytest.mark.parametrize(
    ("text", "lists"),
    [
        ("", True),
        ("  ", True),
        ("year:1950s genre:drama", True),
        ("-genre:drama  -river", True),
        ("year:..1960", True),
        ("year:1950s river", False),
        ('"river"', False),
        ("title:river", False),
        ("person:ruiz year:1950", False),
        ("!", False),
    ],
)
def test_conditions_alone_list_films(search: HybridSearch, text: str, lists: bool) -> None:
    """Genres, years and exclusions limit the films; anything else is searched for."""
    answers = pages(lambda query: find(search, query), query=text, limit=100)
    assert {answer.total.scope for answer in answers} == {"filters" if lists else "candidates"}
    if lists:
        conditions = conditions_of(read(text).parts)
        expected = {movie.id for movie in MOVIES if conditions.matches(movie)}
        assert sorted(hit.id for answer in answers for hit in answer.hits) == sorted(expected)
        assert answers[0].alpha is answers[0].confident is None


def test_fields_of_words_list_films(search: HybridSearch, lexical: FakeLexical) -> None:
    """Without a text they are conditions; if the keyword engine does not answer, the words of films
    are unknown, and it is an error."""
    fields = {"person": "ruiz", "exclude": "river", "limit": 100}
    query = SearchQuery.model_validate(fields)
    conditions = conditions_of(field_parts(query))
    expected = {movie.id for movie in MOVIES if conditions.matches(movie)}
    answers = pages(lambda asked: find(search, asked), **fields)
    assert {hit.id for answer in answers for hit in answer.hits} == expected
    lexical.away = True
    try:
        assert find(search, query).hits == answers[0].hits  # known by now
        with pytest.raises(EngineUnavailable):
            find(search, SearchQuery(phrase=("captain",)))
        assert find(search, SearchQuery(genre=("drama",))).hits
    finally:
        lexical.away = False


@given(
    text=st.sampled_from(corpus.queries(20)),
    sort=st.sampled_from(SORTS),
    order=st.sampled_from(["asc", "desc"]),
)
@settings(max_examples=WALKS)
def test_what_is_found_is_sorted(search: HybridSearch, text: str, sort: str, order: str) -> None:
    """With a text the films that the search finds are sorted, all of them and on all pages."""
    found = pages(lambda query: find(search, query), query=text, limit=100)
    answers = pages(lambda query: find(search, query), query=text, limit=7, sort=sort, order=order)
    by_id = {movie.id: movie for movie in MOVIES}
    hits = [hit for answer in found for hit in answer.hits]
    expected = in_order([by_id[hit.id] for hit in hits], sort, order)
    if sort == "relevance":
        sign = -1 if order == "desc" else 1
        expected = [hit.id for hit in sorted(hits, key=lambda hit: (sign * hit.score, hit.id))]
    assert [hit.id for answer in answers for hit in answer.hits] == expected


def test_titles_are_sorted_as_people_read_them() -> None:
    """Without articles, case, accents and punctuation; a title that is an article stays."""
    titles = ["The Zoo", "Élan", "A", "the a", "An Apple", "*batteries", "Ægir", "Zoo 2", "A  b"]
    assert title_keys(titles) == [
        "zoo",
        "elan",
        "a",
        "a",
        "apple",
        "batteries",
        "aegir",
        "zoo 2",
        "b",
    ]


def known_by_people(films: dict[int, Movie]) -> list[float]:
    """Return how well known films are by their cast, one after the other."""
    films_of = Counter(person for movie in films.values() for person in movie.cast)
    known = [sum(log(films_of[p]) for p in films[film].cast) for film in sorted(films)]
    return [one / max(known) for one in known]


@pytest.mark.parametrize("sort", ["year", "title"])
def test_a_list_across_publications(tmp_path: Path, sort: str) -> None:
    """The next page begins after the last film that was shown, though it is gone: films that were
    there all the time are listed once, new ones where they belong."""
    data = tmp_path / "data"
    films = {
        movie.id: movie.model_copy(update={"votes": None, "directors": ()})
        for movie in corpus.films(120)
    }
    build_stores(data, films.values())
    choose, listed, before = random.Random(3), [], dict(films)
    query = SearchQuery.model_validate({"sort": sort, "limit": 30})
    while True:
        with closing(open_stores(open_current(data))) as search:
            answer = find(search, query)
            assert answer.total.value == len(films)
            assert shares_known(search.catalogue) == pytest.approx(known_by_people(films))
        listed += [hit.id for hit in answer.hits]
        if answer.next_cursor is None:
            break
        gone = {listed[-1], choose.choice(sorted(films))}
        remove(data, *gone)
        title, cast = choose.choice(["A", "River", "Zoo"]), ("Bo Ek", f"New {len(listed)}")
        new = Movie(id=max(films) + 10, title=title, year=1960, cast=cast)
        put(data, new)
        films = {film: one for film, one in films.items() if film not in gone} | {new.id: new}
        query = query.model_copy(update={"cursor": answer.next_cursor})
    assert len(listed) == len(set(listed))
    stayed = before.keys() & films.keys()
    assert stayed <= set(listed)
    assert [i for i in listed if i in stayed] == [
        i for i in in_order(list(films.values()), sort, query.direction) if i in stayed
    ]


@pytest.mark.parametrize(
    "place",
    [Place("a", 1), Place(None, 1), Place(1e308, 2**63 - 1), Place(-5.0, 0)],
)
@pytest.mark.parametrize("sort", SORTS)
def test_a_forged_place_is_refused_or_lists_films(
    search: HybridSearch, sort: str, place: Place
) -> None:
    """Any key and id is a place of the list, but for a text where numbers are sorted."""
    query = SearchQuery.model_validate({"sort": sort}).resolved(Fusion())
    query = query.model_copy(update={"cursor": write_place(place, query)})
    if place.key is not None and isinstance(place.key, str) != (sort == "title"):
        with pytest.raises(InvalidInput, match="damaged"):
            find(search, query)
    else:
        assert find(search, query).total.value == len(MOVIES)


def test_best_known_films(search: HybridSearch) -> None:
    """They are those of most votes."""
    votes = [movie.votes or 0 for movie in best_known(search, 24)]
    assert votes == sorted((movie.votes or 0 for movie in MOVIES), reverse=True)[:24]


def test_over_http(service: Service) -> None:
    """On both engines: lists in URL and body, sorted and paged, and what is wrong with them."""
    _, everything = service.get("/search", limit=100, sort="year")
    years = [hit["movie"]["year"] for hit in everything["hits"]]
    dated = [year for year in years if year]
    assert dated == sorted(dated, reverse=True)
    assert years == dated + [None] * (len(years) - len(dated))
    assert everything["total"] == {"value": len(years), "scope": "filters"}
    assert everything["query"]["query"] == ""
    assert everything["query"]["order"] == "desc"
    ids: list[int] = []
    sent: dict[str, Any] = {"limit": 3, "sort": "year"}
    while True:
        status, answer = service.post("/search", sent)
        assert status == 200
        assert service.get("/search", **sent)[1]["hits"] == answer["hits"]
        ids += [hit["id"] for hit in answer["hits"]]
        if answer["next_cursor"] is None:
            break
        sent["cursor"] = answer["next_cursor"]
    assert ids == [hit["id"] for hit in everything["hits"]]
    for fields, field in (
        ({"sort": "length"}, "sort"),
        ({"order": "up"}, "order"),
        (sent | {"sort": "title"}, "cursor"),
        (sent | {"query": "film"}, "cursor"),
    ):
        status, refused = service.post("/search", fields)
        assert (status, list(refused["error"]["fields"])) == (422, [field])
    for path in ("/compare", "/explain/1"):
        assert service.get(path)[1]["error"]["fields"] == {"q": "is missing"}
    votes = [hit["movie"]["votes"] for hit in service.get("/search", sort="votes")[1]["hits"]]
    assert any(votes)
    assert [n or -1 for n in votes] == sorted((n or -1 for n in votes), reverse=True)
