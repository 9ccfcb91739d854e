"""The bounds of a film's content: what may be written, and how much of it an answer shows.

Of the 36,266 films of Wikipedia none exceeds them: the largest has 7 genres, a cast of 59 and a
description of 13 sentences and 1,519 characters. Indices of earlier versions may hold larger films.
"""

from collections.abc import Mapping
from itertools import accumulate, takewhile
from typing import Any

from hybrid.movie import Movie, Names

LISTS = tuple(name for name, field in Movie.model_fields.items() if field.annotation == Names)
"""The fields of `Movie` that hold several texts."""

MAX_SENTENCES = 300
"""Sentences of a description, unless the settings say otherwise: each takes an embedding."""

_MAX_CHARACTERS = {
    "title": 1_000,
    "original_title": 1_000,
    "description": 50_000,
    "genres": 100,
    **{name: 200 for name in LISTS if name != "genres"},
}

_MAX_ENTRIES = {"genres": 50, "cast": 300, "keywords": 300}

MAX_NUMBERS = {"metascore": 100, "rating": 10, "revenue_millions": 1_000_000}
"""The largest value of fields that hold numbers; others have that of an int32."""

INT32 = 2**31 - 1


def max_characters(field: str) -> int:
    """Return the maximum length of a text in this field; of one entry, if it holds several."""
    return _MAX_CHARACTERS.get(field, 2_000)


def max_entries(field: str) -> int:
    """Return the maximum number of texts in a field that holds several."""
    return _MAX_ENTRIES.get(field, 100)


def add_bounds(properties: Mapping[str, dict[str, Any]]) -> None:
    """Add the bounds to the JSON schemas of a film's fields, by name."""
    for name, schema in properties.items():
        for part in schema.get("anyOf", [schema]):
            if part.get("type") == "string":
                part["maxLength"] = max_characters(name)
            elif part.get("type") == "array":
                part["maxItems"] = max_entries(name)
                part["items"]["maxLength"] = max_characters(name)
            elif part.get("type") in ("integer", "number") and "maximum" not in part:
                part |= {"minimum": 0, "maximum": MAX_NUMBERS.get(name, INT32)}
    properties["description"]["description"] = (
        f"at most {MAX_SENTENCES} sentences, unless the service is set otherwise"
    )


MAX_ANSWER_TEXT = 1_000_000
"""Characters of the descriptions and lists in one answer, which its films share evenly: 10,000 for
each of 100."""


def shown(movie: Movie, films: int) -> Movie:
    """Return a film as an answer with this many films shows it: whole unless it is too large.

    Of one that is too large, the lists and the description are cut at their end.
    """
    share = MAX_ANSWER_TEXT // films
    lists = {name: getattr(movie, name) for name in LISTS}
    if _size(movie.description or "", *lists.values()) <= share:
        return movie
    share_of_list = share // (2 * len(LISTS))
    cut: dict[str, Any] = {name: _first(names, share_of_list) for name, names in lists.items()}
    left = share - _size(*cut.values())
    text = movie.description
    if text and len(text) > left:
        cut["description"] = f"{text[:left].rpartition(' ')[0] or text[:left]} ..."
    return movie.model_copy(update=cut)


def _size(*values: str | Names) -> int:
    return sum([len(v) if isinstance(v, str) else len("".join(v)) for v in values])


def _first(names: Names, characters: int) -> Names:
    """Return the first names, as many as have no more than this many characters together."""
    ends = accumulate(map(len, names))
    return names[: sum(1 for _ in takewhile(lambda end: end <= characters, ends))]
