"""Facets: how many films have each value, compared with counting film by film."""

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import closing
from typing import Any, get_args

import pytest

from hybrid import facets
from hybrid.browse import find
from hybrid.errors import EngineUnavailable
from hybrid.movie import Movie, name_key
from hybrid.query import FIELDS, Facet, Filters, SearchQuery
from hybrid.query_language.language import conditions_of, read
from hybrid.schemas.facets import Counts
from hybrid.search import HybridSearch
from hybrid.storage.generation import open_current
from tests import corpus
from tests.stores import build_stores, open_stores, put, remove

FACETS: tuple[Facet, ...] = get_args(Facet)

OWN = {
    "genre": ["genres"],
    "decade": ["year_from", "year_to"],
    "year": ["year_from", "year_to"],
    "country": ["countries"],
    "language": ["languages"],
    "director": ["directors"],
    "actor": ["actors"],
}

BEFORE = corpus.films(120)
CHANGED = [
    film.model_copy(update={"id": old.id, "genres": (*film.genres, "Neu")})
    for old, film in zip(BEFORE[:15], corpus.films(15, seed=3), strict=True)
]
NEW = [film.model_copy(update={"id": film.id + 1}) for film in corpus.films(15, seed=4)]
MOVIES = [*CHANGED, *BEFORE[15:100], *NEW]


@pytest.fixture(scope="module")
def search(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HybridSearch]:
    """Give a search over base and delta: some films changed, some are new, some are gone."""
    data = tmp_path_factory.mktemp("facets") / "data"
    build_stores(data, BEFORE)
    put(data, *CHANGED, *NEW)
    remove(data, *(film.id for film in BEFORE[100:]))
    with closing(open_stores(open_current(data))) as opened:
        yield opened


def fields_of(filters: Filters) -> dict[str, object]:
    """Return the fields of a query that has these filters."""
    return {FIELDS.get(name, name): value for name, value in filters.model_dump().items()}


def values(movie: Movie, facet: Facet) -> list[str | int]:
    """Return the values of a film, names as they are compared."""
    if facet in ("year", "decade"):
        return (
            []
            if movie.year is None
            else [movie.year // 10 * 10 if facet == "decade" else movie.year]
        )
    field = {"genre": "genres", "country": "countries", "language": "languages"}.get(
        facet, "directors" if facet == "director" else "cast"
    )
    return [name_key(name) for name in getattr(movie, field)]


def counted(movies: Iterable[Movie], facet: Facet) -> list[tuple[str | int, int]]:
    """Return the values of films and how many have each, in the order of a response."""
    counts = Counter(value for movie in movies for value in values(movie, facet))
    if facet in ("year", "decade"):
        return sorted(counts.items())
    return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))


def found(counts: Counts, facet: Facet) -> list[tuple[str | int, int]]:
    """Return the counts of a response, names as they are compared."""
    return [
        (name_key(one.value) if isinstance(one.value, str) else one.value, one.count)
        for one in counts[facet]
    ]


def without_own(filters: Filters, facet: Facet) -> Filters:
    """Return the filters but for that by the facet."""
    fields = filters.model_dump()
    keep = facet == "genre" and filters.genre_match == "all"
    return Filters(**{name: v for name, v in fields.items() if keep or name not in OWN[facet]})


def test_counts_are_those_of_filters_matches(search: HybridSearch) -> None:
    """Under 500 random filters each facet has the counts of the films that pass all filters but its
    own, by `Filters.matches`, film by film."""
    filtered = 0
    for filters in corpus.filters(500):
        query = SearchQuery.model_validate(fields_of(filters) | {"facets": FACETS, "limit": 1})
        answer = find(search, query)
        assert answer.facets
        assert answer.facets.filters
        assert answer.facets.candidates is None
        matching = {
            other: list(filter(other.matches, MOVIES))
            for other in {without_own(filters, facet) for facet in FACETS}
        }
        for facet in FACETS:
            other = without_own(filters, facet)
            assert found(answer.facets.filters, facet) == counted(matching[other], facet), filters
            filtered += other != filters
    assert filtered > 500


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"genre": ["Drama", "Horror"], "year_from": 1955},
        {"genre": ["Drama"], "genre_match": "all", "actor": ["Ana Ruiz"], "mode": "keyword"},
        {"country": ["france"], "votes_from": 1, "mode": "semantic"},
        {"query": 'captain -mirror genre:drama "river"', "language": "English"},
    ],
)
def test_a_text_has_counts_of_its_list_too(search: HybridSearch, fields: dict[str, Any]) -> None:
    """Candidates are the films that the list would have without the filter by the facet; the other
    counts are of all films that filters and conditions allow, whatever the words."""
    query = SearchQuery.model_validate({"query": "captain river robot", "limit": 100} | fields)
    by_id = {movie.id: movie for movie in MOVIES}
    answer = find(search, query.model_copy(update={"facets": FACETS}))
    assert answer.hits == find(search, query).hits
    assert answer.facets
    assert answer.facets.filters
    assert answer.facets.candidates
    conditions = conditions_of(read(query.text).parts)
    for facet in FACETS:
        other = without_own(query.filters, facet)
        listed = find(search, SearchQuery.model_validate(query.model_dump() | fields_of(other)))
        assert len(listed.hits) == listed.total.value
        films = [by_id[hit.id] for hit in listed.hits]
        assert found(answer.facets.candidates, facet) == counted(films, facet)
        allowed = [m for m in MOVIES if other.matches(m) and conditions.matches(m)]
        assert found(answer.facets.filters, facet) == counted(allowed, facet)


def test_facets_are_null_unless_requested(search: HybridSearch) -> None:
    """With and without a text."""
    for text in ("", "captain"):
        assert find(search, SearchQuery(query=text)).facets is None


def test_later_pages_have_the_same_counts(search: HybridSearch) -> None:
    """Facets may be asked for on one page and not on another, and are about the whole list."""
    first = SearchQuery(query="captain river", limit=3, facets=("genre",))
    answer = find(search, first)
    second = SearchQuery(query="captain river", limit=3, cursor=answer.next_cursor)
    assert find(search, second).facets is None
    again = find(search, second.model_copy(update={"facets": ("genre",)}))
    assert again.facets == answer.facets
    assert again.hits[0].rank == 4


def test_names_are_shown_as_films_spell_them(
    search: HybridSearch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not as they are compared; only the most frequent, if there are too many."""
    answer = find(search, SearchQuery(facets=("actor", "genre", "decade")))
    assert answer.facets
    assert answer.facets.filters
    shown = {facet: [one.value for one in some] for facet, some in answer.facets.filters.items()}
    assert set(shown["actor"]) == set(corpus.PEOPLE)
    assert set(shown["genre"]) == {*corpus.GENRES, "Neu"}
    assert shown["decade"] == [1950, 1960]
    monkeypatch.setattr(facets, "MAX_NAMES", 2)
    fewer = find(search, SearchQuery(facets=("genre",)))
    assert fewer.facets
    assert fewer.facets.filters
    assert fewer.facets.filters["genre"] == answer.facets.filters["genre"][:2]


def test_what_nobody_can_count_is_null(
    search: HybridSearch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the keyword engine nobody knows which films have a phrase: the list, which the
    response calls degraded, has counts, all films have none; without conditions they have."""

    def away(*_: object, **__: object) -> None:
        raise EngineUnavailable("away")

    for method in ("search", "films_with", "score"):
        monkeypatch.setattr(search.engines.lexical, method, away)
    answer = find(search, SearchQuery(query='thief "mirror"', facets=("genre",)))
    assert answer.degraded == ("keyword",)
    assert answer.facets
    assert answer.facets.filters is None
    assert answer.facets.candidates is not None
    answer = find(search, SearchQuery(query="thief desert", facets=("genre",)))
    assert answer.facets
    assert answer.facets.filters is not None
