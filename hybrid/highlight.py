"""Where the words of a query stand in a film."""

from collections.abc import Collection

from pydantic import Field

from hybrid.answer import Answer
from hybrid.engines.analysis import tokens
from hybrid.movie import Movie

Ranges = tuple[tuple[int, int], ...]

BETWEEN = ", "
"""Stands between the entries of a field of several, so that one text has the ranges."""


class Highlight(Answer):
    """Ranges [start, end) of characters (Unicode code points) that hold a word of the query.

    Those of a field of several entries are counted over the entries joined by a comma and a blank.
    """

    title: Ranges
    original_title: Ranges
    description: Ranges = Field(description="of the whole description, sentence after sentence")
    cast: Ranges
    directors: Ranges
    writers: Ranges
    genres: Ranges
    keywords: Ranges


def highlight(movie: Movie, text: str) -> Highlight:
    """Return where words of `text` occur, whatever their case, accents and endings."""
    wanted = {token.term for token in tokens(text)}
    fields = {name: _text(getattr(movie, name)) for name in Highlight.model_fields}
    return Highlight.model_validate({name: ranges(fields[name], wanted) for name in fields})


def ranges(text: str, terms: Collection[str]) -> Ranges:
    """Return where any of `terms` stands in `text`."""
    return tuple((token.start, token.end) for token in tokens(text) if token.term in terms)


def _text(value: str | tuple[str, ...] | None) -> str:
    return value if isinstance(value, str) else BETWEEN.join(value or ())
