"""Warnings about genres that no film has, with those that the user may have meant."""

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from heapq import nlargest

from hybrid.movie import name_key
from hybrid.storage.rows import Rows

MAX_VOCABULARY = 300
"""Genres that are suggested: those of most films. Real collections have fewer."""

MAX_HINTS = 5
"""Unknown genres of a query for which others are suggested."""


def unknown_genres(asked: Sequence[str], known: Mapping[str, Rows]) -> Iterator[str]:
    """Yield a warning for each genre that is not `known`, which maps genres to their films."""
    unknown = [name for name in asked if name_key(name) not in known]
    if not unknown:
        return
    common = nlargest(MAX_VOCABULARY, known, key=lambda genre: len(known[genre]))
    for number, name in enumerate(unknown):
        near = get_close_matches(name_key(name), common, n=3) if number < MAX_HINTS else []
        hint = f"; near it: {', '.join(near)}" if near else ""
        yield f"no film has the genre '{name}'{hint}"
