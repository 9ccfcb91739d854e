"""Text in pieces, those that are to be marked and those between: what templates draw marks from."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

Ranges = Sequence[tuple[int, int]]
"""[start, end) of characters, ascending, apart from each other."""

EXCERPT = 280
"""Characters of a description that are shown where no sentence was found by its meaning."""


class Piece(NamedTuple):
    """A part of a text, and whether it is one of the query's words."""

    text: str
    marked: bool


def pieces(text: str, ranges: Iterable[tuple[int, int]]) -> list[Piece]:
    """Return `text` cut where `ranges` begin and end."""
    cut: list[Piece] = []
    done = 0
    for start, end in ranges:
        cut += [Piece(text[done:start], False), Piece(text[start:end], True)]
        done = end
    return [piece for piece in (*cut, Piece(text[done:], False)) if piece.text]


def part(text: str, ranges: Ranges, start: int, end: int) -> list[Piece]:
    """Return the pieces of text[start:end]."""
    inside = [(low - start, high - start) for low, high in ranges if start <= low and high <= end]
    return pieces(text[start:end], inside)


class Passage(NamedTuple):
    """A description around the sentence that was found in it; all but `sentence` may be empty."""

    before: list[Piece]
    sentence: list[Piece]
    after: list[Piece]


def passage(description: str, sentence: str | None, ranges: Ranges) -> Passage:
    """Return `description` cut at `sentence`, or at the excerpt around the first marked word."""
    at = description.find(sentence) if sentence else -1
    if sentence and at >= 0:
        start, end = at, at + len(sentence)
    else:
        start, end = _excerpt(description, ranges)
    return Passage(
        part(description, ranges, 0, start),
        part(description, ranges, start, end),
        part(description, ranges, end, len(description)),
    )


def _excerpt(text: str, ranges: Ranges) -> tuple[int, int]:
    """Return [start, end) of whole words around the first of `ranges`."""
    first = ranges[0][0] if ranges else 0
    start = max(0, first - EXCERPT // 3)
    end = min(len(text), start + EXCERPT)
    if start:
        start = text.find(" ", start, first) + 1 or start
    if end < len(text):
        last = max((high for _, high in ranges if high <= end), default=start)
        end = max(text.rfind(" ", start, end), last)
    return start, end
