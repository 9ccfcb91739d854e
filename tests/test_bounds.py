"""The bounds of a film in an answer, and in the schema of a PUT."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid.bounds import LISTS, MAX_ANSWER_TEXT, max_characters, max_entries, shown
from hybrid.errors import InvalidInput
from hybrid.movie import Movie
from hybrid.schemas.changes import MovieBody
from indexer.films.json_films import film
from tests import corpus

TEXT = st.text("ab ", min_size=1, max_size=300).map(lambda text: text * 400)

NAMES = st.lists(st.text("ab", min_size=1, max_size=3_000), max_size=40).map(tuple)


def size(movie: Movie) -> int:
    """Return the characters of the description and of all lists."""
    return len(movie.description or "") + sum(
        len(n) for name in LISTS for n in getattr(movie, name)
    )


@given(TEXT, NAMES, NAMES, st.integers(1, 400))
def test_a_large_film_is_cut_to_its_share(
    text: str, genres: tuple[str, ...], cast: tuple[str, ...], films: int
) -> None:
    """A film within its share is shown whole; of another, description and lists begin like its own,
    have no more than the share, and the description uses what the lists leave."""
    movie = Movie(id=1, title="A film", description=text, genres=genres, cast=cast)
    share, found = MAX_ANSWER_TEXT // films, shown(movie, films)
    if size(movie) <= share:
        assert found is movie
        return
    assert size(found) <= share + len(" ...")
    assert found.genres == genres[: len(found.genres)]
    assert found.cast == cast[: len(found.cast)]
    for names in (found.genres, found.cast):
        assert sum(map(len, names)) <= share // (2 * len(LISTS))
    assert found.description is not None
    assert text.startswith(found.description.removesuffix(" ..."))
    if found.description != text:
        assert size(found) >= share // 2 - 300
    whole = {"description", *LISTS}
    assert found.model_dump(exclude=whole) == movie.model_dump(exclude=whole)


def test_a_share_is_used_to_the_last_character() -> None:
    """A film of exactly its share is whole, one of a character more is cut."""
    share = MAX_ANSWER_TEXT // 100
    movie = Movie(id=1, title="A film", description="x" * share)
    assert shown(movie, 100) is movie
    longer = movie.model_copy(update={"description": "x" * (share + 1)})
    assert shown(longer, 100).description == "x" * share + " ..."


def test_a_film_is_cut_at_ends_of_names_and_words() -> None:
    """A list has its first names of 625 characters, a sixteenth of the share of 10,000;
    the description ends with the last whole word that fits into what is left."""
    cast = tuple(f"{n:05}" for n in range(300))  # 1,500 characters
    genres = ("g" * 400,)
    text = "word " * 4_000
    found = shown(Movie(id=1, title="A film", description=text, genres=genres, cast=cast), 100)
    assert found.genres == genres
    assert found.cast == cast[:125]
    assert found.description == ("word " * (8_975 // 5)).strip() + " ..."
    assert shown(Movie(id=1, title="A film", cast=("c" * 10_001,)), 100).cast == ()
    whole = Movie(id=1, title="A film", description="d" * 9_375, cast=("c" * 625, "dd"))
    assert shown(whole, 100).model_dump() == whole.model_dump() | {"cast": ("c" * 625,)}


def test_the_bounds_are_those_documented() -> None:
    """For texts, entries and numbers of each kind of field."""
    fields = "title original_title description genres cast keywords imdb_id".split()
    characters = [1_000, 1_000, 50_000, 100, 200, 200, 2_000]
    assert [max_characters(field) for field in fields] == characters
    assert [max_entries(field) for field in ("genres", "cast", "keywords", "directors")] == [
        50,
        300,
        300,
        100,
    ]
    properties = MovieBody.model_json_schema()["properties"]
    numbers = {
        name: (part["minimum"], part["maximum"])
        for name, schema in properties.items()
        for part in schema.get("anyOf", [schema])
        if part.get("type") in ("integer", "number")
    }
    many = "duration_minutes votes reviews_from_users reviews_from_critics".split()
    assert numbers == {
        "year": (1870, 2100),
        "rating": (0, 10),
        "metascore": (0, 100),
        "revenue_millions": (0, 1_000_000),
        **dict.fromkeys(many, (0, 2**31 - 1)),
    }
    assert properties["description"]["description"].startswith("at most 300 sentences")


def test_ordinary_films_are_shown_whole() -> None:
    """Even in the largest comparison."""
    assert all(shown(movie, 400) is movie for movie in corpus.films(50))


def largest(schema: dict[str, Any]) -> object:
    """Return the largest value of a field of the schema."""
    part = schema.get("anyOf", [schema])[0]
    if part["type"] == "array":
        length = part["items"]["maxLength"]
        return [f"{n} {'x' * length}"[:length] for n in range(part["maxItems"])]
    return "x" * part["maxLength"] if part["type"] == "string" else part["maximum"]


def longer(value: Any) -> list[object]:
    """Return values that are just too large."""
    if isinstance(value, list):
        return [[*value, "one more"], ["x" * (len(value[0]) + 1)]]
    return [value + "x" if isinstance(value, str) else value + 1]


def limit_of(name: str, wrong: object) -> str:
    """Return the limit that the error about a value of this field must have."""
    if isinstance(wrong, list) and len(wrong) > 1:
        return f"{max_entries(name):,} at most"
    if isinstance(wrong, list | str):
        return f"{max_characters(name):,} at most"
    return "expected"


def test_the_schema_of_a_put_has_the_bounds() -> None:
    """A film with the largest value of every field by the schema is accepted, and none larger."""
    properties = MovieBody.model_json_schema()["properties"]
    assert set(properties) == set(Movie.model_fields) - {"id"}
    values = {name: largest(schema) for name, schema in properties.items()}
    assert film({"id": 1, **values}).model_dump(mode="json") == {"id": 1, **values}
    for name, value in values.items():
        for wrong in longer(value):
            with pytest.raises(InvalidInput) as refused:
                film({"id": 1, **values, name: wrong})
            assert list(refused.value.fields) == [name]
            assert limit_of(name, wrong) in refused.value.fields[name]
