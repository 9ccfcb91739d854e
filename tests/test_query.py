"""What a query may be, and what its filters mean."""

from functools import partial
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from hybrid.errors import InvalidInput
from hybrid.query import Filters, Fusion, Grade, Query, SearchQuery
from hybrid.schemas.requests import CompareURL, SearchURL


@pytest.mark.parametrize(
    ("filters", "year", "genres", "expected"),
    [
        ({}, None, [], True),
        ({"year_from": 1990}, None, [], False),
        ({"year_from": 1990}, 1990, [], True),
        ({"year_from": 1990}, 1989, [], False),
        ({"year_to": 1990}, 1990, [], True),
        ({"year_to": 1990}, 1991, [], False),
        ({"genres": ["drama"]}, 1990, ["Drama"], True),
        ({"genres": ["drama"]}, 1990, [], False),
        ({"genres": ["drama", "war"]}, 1990, ["War"], True),
        ({"genres": ["drama", "war"], "genre_match": "all"}, 1990, ["War"], False),
        ({"genres": ["drama", "war"], "genre_match": "all"}, 1990, ["WAR", "Drama", "X"], True),
        ({"genres": ["drama", "Drama"], "genre_match": "all"}, 1990, ["drama"], True),
        ({"genre_match": "all"}, 1990, ["Drama"], True),
        ({"genres": ["STRASSE"]}, 1990, ["Straße"], True),
        ({"genres": ["e\u0301te\u0301"]}, None, ["Été"], True),
    ],
)
def test_filters_mean(
    filters: dict[str, Any], year: int | None, genres: list[str], expected: bool
) -> None:
    """The one definition of a match, case by case."""
    assert Filters(**filters).matches(year, genres) is expected


def test_years_in_the_wrong_order_are_named() -> None:
    """The error names the field and the remedy."""
    for model in (Filters, partial(SearchQuery, query="heist"), partial(CompareURL, q="heist")):
        with pytest.raises(InvalidInput, match="swap them") as caught:
            model(year_from=2000, year_to=1990)
        assert list(caught.value.fields) == ["year_from"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("query", ""),
        ("query", " \n\t"),
        ("query", "x" * 1001),
        ("query", "\ufb2c" * 350),  # three characters each once normalised
        ("query", "\ud800"),
        ("query", 7),
        ("year_from", 0),
        ("year_to", 10_000),
        ("year_from", True),
        ("genre", ["drama", " "]),
        ("genre", ["x" * 101]),
        ("genre", ["x"] * 51),
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
        {"genre": ["x" * 100] * 50},
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
    ],
)
def test_a_filter_that_excludes_nothing_is_none(filters: dict[str, Any], excludes: bool) -> None:
    """Years and genres may exclude films; how genres match excludes none without a genre."""
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
    "year_from": 1950,
    "year_to": 1960,
    "limit": 3,
    "highlight": True,
    "explain": "full",
}


def test_the_filters_are_those_of_the_fields() -> None:
    """Genres and years of a query, and back: the fields of a query with these filters."""
    filters = SearchQuery.model_validate({"query": "heist"} | FIELDS).filters
    assert filters.model_dump() == {
        "genres": ("Crime", "War"),
        "genre_match": "all",
        "year_from": 1950,
        "year_to": 1960,
    }
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
