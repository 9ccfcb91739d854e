"""Text split into marked and unmarked pieces, for templates."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from hybrid.movie import Movie
from hybrid.schemas.highlight import Highlight

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


class Person(NamedTuple):
    """A name in pieces, and whether it is a director's."""

    text: str
    pieces: list[Piece]
    directs: bool


FOREMOST = 3
"""Number of people that are named beside a film."""


def foremost(movie: Movie, highlight: Highlight) -> list[Person]:
    """Return the people of a film to name: those of the query first, then directors, then cast."""
    people = [
        *_named(movie.directors, highlight.directors, directs=True),
        *_named(movie.cast, highlight.cast, directs=False),
    ]
    people = list({person.text: person for person in reversed(people)}.values())[::-1]
    by_query = sorted(people, key=lambda person: not any(piece.marked for piece in person.pieces))
    chosen = by_query[:FOREMOST]
    return [person for person in people if person in chosen]


def _named(names: Sequence[str], ranges: Ranges, directs: bool) -> list[Person]:
    """Return names whose `ranges` count characters in all of them, joined by ", "."""
    joined, start, named = ", ".join(names), 0, []
    for name in names:
        named.append(Person(name, part(joined, ranges, start, start + len(name)), directs))
        start += len(name) + len(", ")
    return named


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
