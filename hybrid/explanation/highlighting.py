"""Where the words of a query stand in a film."""

from collections.abc import Collection

from hybrid.movie import Movie
from hybrid.schemas.highlight import Highlight, Ranges
from hybrid.text.analysis import tokens

BETWEEN = ", "
"""Stands between the entries of a field of several, so that one text has the ranges."""


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
