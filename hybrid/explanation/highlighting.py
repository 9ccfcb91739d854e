"""Where the words of a query occur in a film."""

from collections.abc import Collection

from hybrid.movie import Movie
from hybrid.schemas.highlight import Highlight, Ranges
from hybrid.text.analysis import tokens

SEPARATOR = ", "
"""Joins the entries of a field with several, so that ranges refer to one text."""


def highlight(movie: Movie, text: str) -> Highlight:
    """Return where words of `text` occur in the film, whatever their case, accents and endings."""
    terms = {token.term for token in tokens(text)}
    fields = {name: _text(getattr(movie, name)) for name in Highlight.model_fields}
    return Highlight.model_validate({name: ranges(fields[name], terms) for name in fields})


def ranges(text: str, terms: Collection[str]) -> Ranges:
    """Return the ranges [start, end) of `text` in which any of `terms` occurs."""
    return tuple((token.start, token.end) for token in tokens(text) if token.term in terms)


def _text(value: str | tuple[str, ...] | None) -> str:
    return value if isinstance(value, str) else SEPARATOR.join(value or ())
