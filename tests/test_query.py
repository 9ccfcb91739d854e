"""What a query may be, and what its filters mean."""

from functools import partial
from typing import Any

import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError

from hybrid.errors import InvalidInput
from hybrid.movie import MAX_ID, Movie
from hybrid.query import (
    Facet,
    Filters,
    Fusion,
    Grade,
    Query,
    RankedQuery,
    SearchQuery,
    SimilarQuery,
    SuggestQuery,
)
from hybrid.schemas.requests import CompareURL, SearchURL


@pytest.mark.parametrize(
    ("filters", "film", "expected"),
    [
        ({}, {}, True),
        ({"year_from": 1990}, {}, False),
        ({"year_from": 1990}, {"year": 1990}, True),
        ({"year_from": 1990}, {"year": 1989}, False),
        ({"year_to": 1990}, {"year": 1990}, True),
        ({"year_to": 1990}, {"year": 1991}, False),
        ({"genres": ["drama"]}, {"genres": ["Drama"]}, True),
        ({"genres": ["drama"]}, {}, False),
        ({"genres": ["drama", "war"]}, {"genres": ["War"]}, True),
        ({"genres": ["drama", "war"], "genre_match": "all"}, {"genres": ["War"]}, False),
        ({"genres": ["drama", "war"], "genre_match": "all"}, {"genres": ["WAR", "Drama"]}, True),
        ({"genres": ["drama", "Drama"], "genre_match": "all"}, {"genres": ["drama"]}, True),
        ({"genre_match": "all"}, {"genres": ["Drama"]}, True),
        ({"genres": ["STRASSE"]}, {"genres": ["Straße"]}, True),
        ({"genres": ["e\u0301te\u0301"]}, {"genres": ["Été"]}, True),
        ({"exclude_genres": ["war", "horror"]}, {"genres": ["Drama", "War"]}, False),
        ({"exclude_genres": ["war", "horror"]}, {"genres": ["Drama"]}, True),
        ({"exclude_genres": ["war"]}, {}, True),
        ({"genres": ["drama"], "exclude_genres": ["war"]}, {"genres": ["Drama", "War"]}, False),
        ({"countries": [" FRANCE ", "Italy"]}, {"countries": ["Spain", "France"]}, True),
        ({"countries": ["France"]}, {"countries": ["Spain"]}, False),
        ({"countries": ["France"]}, {}, False),
        ({"languages": ["french"]}, {"languages": ["French"]}, True),
        ({"languages": ["french"]}, {"countries": ["French"]}, False),
        ({"directors": ["jane campion"]}, {"directors": ["Jane Campion"]}, True),
        ({"directors": ["campion"]}, {"directors": ["Jane Campion"]}, False),
        ({"directors": ["Jane Campion"]}, {"cast": ["Jane Campion"]}, False),
        ({"actors": ["Holly Hunter", "x"]}, {"cast": ["Holly Hunter"]}, True),
        ({"actors": ["Holly Hunter"]}, {"directors": ["Holly Hunter"]}, False),
        ({"rating_from": 7.3}, {"rating": 7.3}, True),
        ({"rating_from": 7.3}, {"rating": 7.2}, False),
        ({"rating_to": 7.3}, {"rating": 7.4}, False),
        ({"rating_to": 10}, {}, False),
        ({"votes_from": 0}, {"votes": 0}, True),
        ({"votes_from": 1}, {"votes": 0}, False),
        ({"votes_to": 0}, {"votes": 0}, True),
        ({"votes_to": 9}, {}, False),
        ({"duration_from": 90, "duration_to": 90}, {"duration_minutes": 90}, True),
        ({"duration_from": 90, "duration_to": 90}, {"duration_minutes": 91}, False),
        ({"duration_to": 90}, {}, False),
    ],
)
def test_filters_mean(filters: dict[str, Any], film: dict[str, Any], expected: bool) -> None:
    """The one definition of a match, case by case."""
    assert Filters(**filters).matches(Movie(id=1, title="x", **film)) is expected


@pytest.mark.parametrize("name", ["year", "rating", "votes", "duration"])
def test_bounds_in_the_wrong_order_are_named(name: str) -> None:
    """The error names the field and the remedy; equal bounds are in order."""
    wrong, right = {f"{name}_from": 9, f"{name}_to": 5}, {f"{name}_from": 5, f"{name}_to": 5}
    for model in (Filters, partial(SearchQuery, query="heist"), partial(CompareURL, q="heist")):
        with pytest.raises(InvalidInput, match="swap them") as caught:
            model(**wrong)
        after, last = "after" if name == "year" else "above", "5.0" if name == "rating" else "5"
        problem = f"is {after} {name}_to ({last}): swap them"
        assert caught.value.fields == {f"{name}_from": problem}
        assert model(**right)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("sort", "length"),
        ("order", "up"),
        ("query", "x" * 1001),
        ("query", "\ufb2c" * 350),  # three characters each once normalised
        ("query", "\ud800"),
        ("query", 7),
        ("year_from", 0),
        ("year_to", 10_000),
        ("year_from", True),
        ("genre", ["drama", " "]),
        ("genre", ["x" * 201]),
        ("genre", ["x"] * 51),
        ("actor", [""]),
        ("country", ["\ud800"]),
        ("rating_from", -0.1),
        ("rating_to", 10.1),
        ("rating_to", float("nan")),
        ("rating_from", True),
        ("votes_from", -1),
        ("votes_to", 2**31),
        ("duration_from", 1.5),
        ("limit", 0),
        ("limit", 101),
        ("limit", True),
        ("mode", "magic"),
        ("colour", "red"),
        ("text", "heist"),
        ("filters", {}),
    ],
)
def test_bad_queries_name_the_field(field: str, value: object) -> None:
    """A value that cannot be understood is refused by the name of its field."""
    with pytest.raises(ValidationError) as caught:
        SearchQuery.model_validate({"query": "heist"} | {field: value})
    assert caught.value.errors()[0]["loc"][0] == field


@pytest.mark.parametrize(
    "fields",
    [
        {"query": "x" * 1000},
        {"year_from": 1, "year_to": 9999},
        {"year_from": 1990, "year_to": 1990},
        {"genre": ["x" * 200] * 50},
        {"limit": 1},
        {"limit": 100},
        {"alpha": 0},
        {"alpha": 1},
    ],
)
def test_what_is_just_within_bounds_is_accepted(fields: dict[str, Any]) -> None:
    """The largest and the smallest value of each field are values."""
    SearchQuery.model_validate({"query": "heist"} | fields)


@pytest.mark.parametrize(
    ("filters", "excludes"),
    [
        ({}, False),
        ({"genre_match": "all"}, False),
        ({"genres": ["drama"]}, True),
        ({"year_from": 1990}, True),
        ({"year_to": 1990}, True),
        ({"votes_from": 0}, True),
        ({"rating_to": 10}, True),
        ({"exclude_genres": ["drama"]}, True),
        ({"actors": ["Holly Hunter"]}, True),
    ],
)
def test_a_filter_that_excludes_nothing_is_none(filters: dict[str, Any], excludes: bool) -> None:
    """Any bound and any name may exclude films; how genres match excludes none without a genre."""
    assert bool(Filters(**filters)) is excludes


@pytest.mark.parametrize("alpha", [-0.1, 1.1, float("nan"), float("inf"), True, "much"])
def test_alpha_is_a_share(alpha: object) -> None:
    """Only numbers from 0 to 1 are a share."""
    with pytest.raises(ValidationError):
        SearchQuery.model_validate({"query": "heist", "alpha": alpha})


@pytest.mark.parametrize(("given", "grade"), [(-2, 0), (0, 0), (1, 1), (10, 10)])
def test_a_grade_below_zero_is_zero(given: int, grade: int) -> None:
    """What is judged to be spam is judged, and not relevant."""
    assert TypeAdapter(Grade).validate_python(given) == grade


@pytest.mark.parametrize("given", [11, True, "much"])
def test_a_grade_has_bounds(given: object) -> None:
    """Grades above 10, and values that are not numbers, are refused."""
    with pytest.raises(ValidationError):
        TypeAdapter(Grade).validate_python(given)


def test_text_is_normalised() -> None:
    """Composed and decomposed letters are the same query, outer blanks are none of it."""
    assert SearchQuery(query="  Ame\u0301lie ").text == "Amélie"


FIELDS: dict[str, Any] = {
    "genre": ["Crime", "War"],
    "genre_match": "all",
    "exclude_genre": ["Horror"],
    "country": ["France"],
    "language": ["French"],
    "director": ["Jane Campion"],
    "actor": ["Holly Hunter"],
    "year_from": 1950,
    "year_to": 1960,
    "rating_from": 5.5,
    "rating_to": 9,
    "votes_from": 10,
    "votes_to": 20,
    "duration_from": 80,
    "duration_to": 120,
    "limit": 3,
    "highlight": True,
    "explain": "full",
}


def test_the_filters_are_those_of_the_fields() -> None:
    """Each filter has its field, and back: the fields of a query with these filters."""
    filters = SearchQuery.model_validate({"query": "heist"} | FIELDS).filters
    assert filters.model_dump() == {
        "genres": ("Crime", "War"),
        "genre_match": "all",
        "exclude_genres": ("Horror",),
        "countries": ("France",),
        "languages": ("French",),
        "directors": ("Jane Campion",),
        "actors": ("Holly Hunter",),
    } | {name: FIELDS[name] for name in Filters.model_fields if name.endswith(("_from", "_to"))}
    assert SearchQuery.filtered("heist", filters, "keyword").filters == filters


@pytest.mark.parametrize("url", [SearchURL, CompareURL])
def test_a_url_has_the_same_query(url: type[Query]) -> None:
    """Its text is `q`; in any mode it is the search that has the same fields."""
    typed = url.model_validate({"q": "heist"} | FIELDS)
    expected = {"query": "heist"} | FIELDS | {"mode": "keyword"}
    assert typed.in_mode("keyword") == SearchQuery.model_validate(expected)
    assert url.model_validate({"q": "heist", "genre": "War"}).genre == ("War",)
    for unknown in ("query", "text"):
        with pytest.raises(ValidationError, match="Extra inputs"):
            url.model_validate({"q": "heist", unknown: "heist"})


def test_a_query_is_sent_by_the_names_of_a_body() -> None:
    """Its fields come in the order of the model, the text as `query`."""
    sent = SearchQuery(query="heist", alpha=0.7).model_dump()
    assert list(sent) == ["query", *list(SearchQuery.model_fields)[1:]]
    assert {"query", *FIELDS, "mode", "fusion", "alpha"} <= sent.keys()
    assert SearchQuery.model_validate(sent) == SearchQuery(query="heist", alpha=0.7)


def test_unset_fusion_comes_from_the_preferences() -> None:
    """Fusion and alpha come from the preferences, each where the query leaves it out."""
    preferred = Fusion(method="rrf", alpha=0.2)
    assert SearchQuery(query="heist").resolved(preferred).fusion_spec == preferred
    auto = SearchQuery(query="heist", alpha="auto").resolved(preferred)
    assert (auto.fusion, auto.alpha) == ("rrf", "auto")
    assert SearchQuery(query="heist", alpha=0).resolved(Fusion()).alpha == 0


@pytest.mark.parametrize(
    ("facet", "genre_match", "gone"),
    [
        ("genre", "any", ("genre",)),
        ("genre", "all", ()),
        ("year", "any", ("year_from", "year_to")),
        ("decade", "all", ("year_from", "year_to")),
        ("country", "all", ("country",)),
        ("actor", "any", ("actor",)),
    ],
)
def test_a_facet_leaves_its_own_filter_out(
    facet: Facet, genre_match: str, gone: tuple[str, ...]
) -> None:
    """All others stay, and so do genres of which a film must have all."""
    filters = {
        "genre": ("War",),
        "year_from": 1950,
        "year_to": 1960,
        "country": ("Peru",),
        "actor": ("Ana Ruiz",),
    }
    fields = {"query": "heist", "genre_match": genre_match, "alpha": 0.3}
    query = SearchQuery.model_validate(fields | filters)
    left = {name: value for name, value in filters.items() if name not in gone}
    assert query.without_filter_by(facet) == SearchQuery.model_validate(fields | left)


def test_films_like_one_are_asked_for_with_the_other_fields() -> None:
    """Filters, fusion and page are those of the query; its text is not sent."""
    query = SearchQuery.model_validate({"query": "heist", "alpha": 0.3} | FIELDS)
    similar = SimilarQuery.of_film(12, query)
    assert (similar.id, similar.text) == (12, None)
    for name in RankedQuery.model_fields:
        assert getattr(similar, name) == getattr(query, name)
    assert similar.alpha == 0.3


@pytest.mark.parametrize(
    ("sort", "order", "direction"),
    [
        ("title", None, "asc"),
        ("title", "desc", "desc"),
        ("year", None, "desc"),
        ("year", "asc", "asc"),
        (None, None, "desc"),
    ],
)
def test_titles_ascend_and_all_else_descends(
    sort: str | None, order: str | None, direction: str
) -> None:
    """Unless another order is asked for; the response says which one it was."""
    fields = {"query": "", "sort": sort, "order": order}
    given = {name: value for name, value in fields.items() if value is not None}
    query = SearchQuery.model_validate(given)
    assert query.direction == direction
    assert query.resolved(Fusion()).order == direction


@pytest.mark.parametrize("model", [Query, SearchQuery, SimilarQuery, SuggestQuery])
def test_every_field_is_described(model: type[BaseModel]) -> None:
    """The OpenAPI document has no field that says nothing."""
    undescribed = [name for name, field in model.model_fields.items() if not field.description]
    assert undescribed == []


def test_facets_are_named() -> None:
    """Those that can be counted, and no others."""
    names = "genre decade year country language director actor".split()
    query = SearchQuery.model_validate({"query": "heist", "facets": names})
    assert list(query.facets) == names
    with pytest.raises(ValidationError):
        SearchQuery.model_validate({"query": "heist", "facets": ["title"]})


def test_a_fusion_is_what_it_says() -> None:
    """It has no other field, and never changes: it is a key of what was computed for it."""
    with pytest.raises(ValidationError, match="Extra inputs"):
        Fusion.model_validate({"method": "rrf", "k": 60})
    with pytest.raises(ValidationError, match="Extra inputs"):
        Filters.model_validate({"genre": ["War"]})
    fusion = Fusion(method="rrf", alpha=0.3)
    with pytest.raises(ValidationError, match="frozen"):
        fusion.alpha = 0.4  # type: ignore[misc]
    assert {fusion: 1}[Fusion(method="rrf", alpha=0.3)] == 1


@pytest.mark.parametrize(
    ("fields", "problem"), [({}, "is missing"), ({"id": 7, "query": "heist"}, "is beside `id`")]
)
def test_films_like_one_film_or_one_text(fields: dict[str, Any], problem: str) -> None:
    """One of both must be sent, and the error says which is wrong."""
    with pytest.raises(InvalidInput, match="either `id` or `query`") as error:
        SimilarQuery.model_validate(fields)
    assert error.value.fields == {"query": problem}


@pytest.mark.parametrize(("film", "valid"), [(0, True), (MAX_ID, True), (-1, False)])
def test_ids_are_those_of_films(film: int, valid: bool) -> None:
    """From 0 to the largest of 64 bits."""
    if valid:
        assert SimilarQuery(id=film).id == film
    else:
        with pytest.raises(ValidationError):
            SimilarQuery(id=film)
    with pytest.raises(ValidationError):
        SimilarQuery(id=MAX_ID + 1)


def test_twenty_facets_are_enough() -> None:
    """A list of facets has a bound, like every list."""
    assert SearchQuery.model_validate({"query": "heist", "facets": ["genre"] * 20})
    with pytest.raises(ValidationError, match="at most 20"):
        SearchQuery.model_validate({"query": "heist", "facets": ["genre"] * 21})


def test_the_schema_says_how_long_a_text_may_be() -> None:
    """That of a search and that of what films should be like: a client can check it."""
    for model, longest in ((Query, 1000), (SearchQuery, 1000), (SimilarQuery, 5000)):
        text = model.model_json_schema()["properties"]["query"]
        text = next((each for each in text.get("anyOf", ()) if each.get("type") == "string"), text)
        assert text["maxLength"] == longest
    assert text["minLength"] == 1
    assert text["pattern"] == r"\S"
