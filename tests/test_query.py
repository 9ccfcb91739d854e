"""What a query may be, and what its filters mean."""

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from hybrid.errors import InvalidInput
from hybrid.query import Filters, Fusion, Grade, SearchQuery
from hybrid.schemas.requests import SearchRequest


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
    with pytest.raises(InvalidInput, match="swap them") as caught:
        Filters(year_from=2000, year_to=1990)
    assert list(caught.value.fields) == ["year_from"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("text", ""),
        ("text", " \n\t"),
        ("text", "x" * 1001),
        ("text", "\ufb2c" * 350),  # three characters each once normalised
        ("text", "\ud800"),
        ("text", 7),
        ("filters", {"year_from": 0}),
        ("filters", {"year_to": 10_000}),
        ("filters", {"year_from": True}),
        ("filters", {"genres": ["drama", " "]}),
        ("filters", {"genres": ["x" * 101]}),
        ("filters", {"genres": ["x"] * 51}),
        ("limit", 0),
        ("limit", 101),
        ("limit", True),
        ("mode", "magic"),
        ("colour", "red"),
    ],
)
def test_bad_queries_name_the_field(field: str, value: object) -> None:
    """A value that cannot be understood is refused by the name of its field."""
    with pytest.raises(ValidationError) as caught:
        SearchQuery.model_validate({"text": "heist"} | {field: value})
    assert caught.value.errors()[0]["loc"][0] == field


@pytest.mark.parametrize(
    "fields",
    [
        {"text": "x" * 1000},
        {"filters": {"year_from": 1, "year_to": 9999}},
        {"filters": {"year_from": 1990, "year_to": 1990}},
        {"filters": {"genres": ["x" * 100] * 50}},
        {"limit": 1},
        {"limit": 100},
        {"fusion": {"alpha": 0}},
        {"fusion": {"alpha": 1}},
    ],
)
def test_what_is_just_within_bounds_is_accepted(fields: dict[str, Any]) -> None:
    """The largest and the smallest value of each field are values."""
    SearchQuery.model_validate({"text": "heist"} | fields)


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
        SearchQuery.model_validate({"text": "heist", "fusion": {"alpha": alpha}})


@pytest.mark.parametrize(("given", "grade"), [(-2, 0), (0, 0), (1, 1), (10, 10)])
def test_a_grade_below_zero_is_zero(given: int, grade: int) -> None:
    """What is judged to be spam is judged, and not relevant."""
    assert TypeAdapter(Grade).validate_python(given) == grade


@pytest.mark.parametrize("given", [11, True, "much"])
def test_a_grade_has_bounds(given: object) -> None:
    """Grades above 10, and what is no number, are refused."""
    with pytest.raises(ValidationError):
        TypeAdapter(Grade).validate_python(given)


def test_text_is_normalised() -> None:
    """Composed and decomposed letters are the same query, outer blanks are none of it."""
    assert SearchQuery(text="  Ame\u0301lie ").text == "Amélie"


def test_fields_and_query_say_the_same() -> None:
    """The flat fields of a request survive the way into a query and back."""
    body = SearchRequest(
        query="heist",
        genre=("Crime", "War"),
        genre_match="all",
        year_from=1950,
        year_to=1960,
        mode="hybrid",
        fusion="rrf",
        alpha=0.7,
        limit=3,
    )
    assert SearchRequest.of(body.as_query(Fusion())) == body


def test_what_is_not_said_is_as_preferred() -> None:
    """Fusion and alpha come from the preferences, each where the request leaves it out."""
    preferred = Fusion(method="rrf", alpha=0.2)
    assert SearchRequest(query="heist").as_query(preferred).fusion == preferred
    said = SearchRequest(query="heist", alpha="auto").as_query(preferred).fusion
    assert said == Fusion(method="rrf", alpha="auto")
    assert SearchRequest(query="heist", alpha=0).as_query(Fusion()).fusion.alpha == 0
