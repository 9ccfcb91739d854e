"""The words of a query, and where they are."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, Self

from hybrid.query_language.language import Span
from hybrid.text.normalise import plain

_WORD = re.compile(r"[^\W_]+(?:['\u2019][^\W_]+)*")

_POSSESSIVE = re.compile(r"(?<=\D)['\u2019]s?$")

MAX_WORDS = 64
"""Words of a query after these mention nothing: they are not searched for either."""


class Word(NamedTuple):
    """A word: its plain form, without a possessive ending, and its characters [start, end)."""

    plain: str
    start: int
    end: int


@dataclass(frozen=True)
class Words:
    """A text and its words. Hyphens separate words."""

    text: str
    words: Sequence[Word]

    @classmethod
    def of(cls, text: str, taken: Sequence[Span] = ()) -> Self:
        """Return the words of `text` that do not begin in the spans `taken`."""
        found = (
            Word(plain(_POSSESSIVE.sub("", match[0])), *match.span())
            for match in _WORD.finditer(text)
            if not any(start <= match.start() < end for start, end in taken)
        )
        return cls(text, [word for word in found if word.plain][:MAX_WORDS])

    def __len__(self) -> int:
        return len(self.words)

    def plain(self, first: int, last: int) -> tuple[str, ...]:
        """Return the plain forms of the words [first, last), as far as there are any."""
        return self._plain[max(first, 0) : last]

    @cached_property
    def _plain(self) -> tuple[str, ...]:
        return tuple(word.plain for word in self.words)

    def span(self, first: int, last: int) -> Span:
        """Return the characters of the words [first, last)."""
        return self.words[first].start, self.words[last - 1].end

    def typed(self, first: int, last: int) -> str:
        """Return the words [first, last) as they are typed."""
        start, end = self.span(first, last)
        return self.text[start:end]
