"""Judged queries: their text, and the grades of the films judged for them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, Field

from hybrid.errors import InvalidInput
from hybrid.query import Filters

ALL = "all"
"""The kind of a query that has none, and the name of all kinds together."""

MAX_NAMED = 5
"""Maximum number of omitted queries that a note names."""


def _one_word(text: str) -> str:
    if text.split() != [text]:
        raise ValueError(
            "is blank or contains a blank, at which ids end in TREC files: join its words"
        )
    return text


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("contains a character that cannot be printed: remove it")
    return text


QueryId = Annotated[str, AfterValidator(_one_word), AfterValidator(_printable)]
Kind = Annotated[str, Field(min_length=1, max_length=40), AfterValidator(_printable)]


@dataclass(frozen=True)
class JudgedQuery:
    """A query and the grade of each film judged for it: 1 and above is relevant, 0 is not."""

    id: str
    kind: str
    text: str
    filters: Filters
    grades: Mapping[int, int]

    @property
    def relevant(self) -> frozenset[int]:
        """The films of grade 1 and above."""
        return frozenset(film for film, grade in self.grades.items() if grade)


@dataclass(frozen=True)
class Judgements:
    """The queries of a file that can be measured, and notes on those that were left out."""

    file: Path
    queries: Sequence[JudgedQuery]
    notes: Sequence[str]

    @classmethod
    def of(cls, file: Path, queries: Iterable[JudgedQuery], notes: Iterable[str] = ()) -> Self:
        """Return the queries that have a relevant film; nDCG of the others is undefined.

        Raises InvalidInput if no query is left.
        """
        queries = tuple(queries)
        unjudged = [query.id for query in queries if not query.grades]
        without_relevant = [query.id for query in queries if query.grades and not query.relevant]
        left_out = [
            *_left_out(unjudged, "without a judgement"),
            *_left_out(without_relevant, "without a relevant film"),
        ]
        measurable = tuple(query for query in queries if query.relevant)
        if not measurable:
            raise InvalidInput(
                f"{file}: nothing to measure, as no query has a film judged 1 or more "
                f"({'; '.join(left_out)})"
            )
        return cls(file, measurable, (*notes, *left_out))

    @property
    def pooled(self) -> bool:
        """Whether most queries have a film judged 0, so that unjudged films are unknown.

        If only the wanted film is judged, all other films count as not relevant.
        """
        with_zero = [len(query.relevant) < len(query.grades) for query in self.queries]
        return 2 * sum(with_zero) > len(with_zero)


def _left_out(queries: Sequence[str], why: str) -> list[str]:
    if not queries:
        return []
    names = ", ".join(queries[:MAX_NAMED]) + (", ..." if len(queries) > MAX_NAMED else "")
    return [f"{len(queries):,} of the queries left out, {why}: {names}"]
