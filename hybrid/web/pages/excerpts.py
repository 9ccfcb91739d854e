"""Text split into marked and unmarked pieces, for templates."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

Ranges = Sequence[tuple[int, int]]
"""[start, end) in characters, ascending, disjoint."""

EXCERPT = 280
"""Length of the excerpt of a description, in characters, where no sentence is shown."""


class Piece(NamedTuple):
    """A part of a text, and whether it is a word of the query."""

    text: str
    marked: bool


def pieces(text: str, ranges: Iterable[tuple[int, int]]) -> list[Piece]:
    """Return `text` split at the bounds of `ranges`; no piece is empty."""
    split: list[Piece] = []
    done = 0
    for start, end in ranges:
        split += [Piece(text[done:start], False), Piece(text[start:end], True)]
        done = end
    return [piece for piece in (*split, Piece(text[done:], False)) if piece.text]


def part(text: str, ranges: Ranges, start: int, end: int) -> list[Piece]:
    """Return the pieces of text[start:end]."""
    inside = [(low - start, high - start) for low, high in ranges if start <= low and high <= end]
    return pieces(text[start:end], inside)


class Passage(NamedTuple):
    """A description split at the sentence to show; `before` and `after` may be empty."""

    before: list[Piece]
    sentence: list[Piece]
    after: list[Piece]


def passage(description: str, sentence: str | None, ranges: Ranges) -> Passage:
    """Return `description` split at `sentence`, or at an excerpt around the first marked word."""
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
    """Return [start, end) of an excerpt of whole words around the first of `ranges`."""
    first = ranges[0][0] if ranges else 0
    start = max(0, first - EXCERPT // 3)
    end = min(len(text), start + EXCERPT)
    if start:
        start = text.find(" ", start, first) + 1 or start
    if end < len(text):
        last = max((high for _, high in ranges if high <= end), default=start)
        end = max(text.rfind(" ", start, end), last)
    return start, end
