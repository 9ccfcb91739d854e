"""The rows of the films that have each name: of a genre, a country, a language or a person."""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from hybrid.movie import name_key
from hybrid.ranking import Scores
from hybrid.storage.arrays import Texts
from hybrid.storage.rows import NO_ROWS, Mask, Rows

Value = Callable[[NDArray[np.int64]], Scores]
"""A number for each of n counts, float64 (n,)."""


class NameCount(NamedTuple):
    """A name as films spell it, its `name_key`, and how many of some films have it."""

    name: str
    key: str
    films: int


@dataclass(frozen=True, eq=False)
class Postings(Mapping[str, Rows]):
    """The rows of the films with each of n names, int64 ascending, by the name's `name_key`.

    `sorted_keys` are these keys in the order of their UTF-8, `spellings` the names as most films
    spell them. The films of name i are `rows[starts[i]:starts[i + 1]]`; `starts` int64 (n + 1,).
    """

    sorted_keys: Texts
    spellings: Texts
    starts: NDArray[np.int64]
    rows: Rows

    @classmethod
    def of(cls, by_spelling: Mapping[str, Sequence[int]]) -> Self:
        """Return the postings, given the rows of the films with each name as films spell it."""
        spellings: dict[str, list[str]] = {}
        for name in sorted(by_spelling, key=lambda name: (-len(by_spelling[name]), name)):
            spellings.setdefault(name_key(name), []).append(name)
        keys = sorted(filter(None, spellings), key=str.encode)
        rows = [
            np.unique(np.concatenate([np.array(by_spelling[s], np.int64) for s in spellings[key]]))
            for key in keys
        ]
        return cls(
            Texts.of(keys),
            Texts.of([spellings[key][0] for key in keys]),
            np.cumsum([0, *map(len, rows)], dtype=np.int64),
            np.concatenate([NO_ROWS, *rows]),
        )

    @classmethod
    def of_arrays(cls, arrays: Sequence[NDArray[Any]]) -> Self:
        """Return the postings that `arrays` returned."""
        key_letters, key_starts, letters, letter_starts, starts, rows = arrays
        return cls(Texts(key_letters, key_starts), Texts(letters, letter_starts), starts, rows)

    def arrays(self) -> Sequence[NDArray[Any]]:
        """Return the six arrays that it is made of."""
        keys, spellings = self.sorted_keys, self.spellings
        return (
            keys.letters,
            keys.starts,
            spellings.letters,
            spellings.starts,
            self.starts,
            self.rows,
        )

    def number(self, key: str) -> int | None:
        """Return the number of the name with this key, None if no film has it."""
        text = key.encode()
        number = bisect_left(self.sorted_keys, text)
        found = number < len(self) and self.sorted_keys[number] == text
        return number if found else None

    def spelling(self, key: str) -> str:
        """Return a name as most films spell it. Raises KeyError where no film has it."""
        number = self.number(key)
        if number is None:
            raise KeyError(key)
        return self.spellings[number].decode()

    def counts(self, films: Mask) -> NDArray[np.int64]:
        """Return how many of the marked films have each name, int64 (n,)."""
        before = np.concatenate([[0], np.cumsum(films[self.rows])])
        counts: NDArray[np.int64] = before[self.starts[1:]] - before[self.starts[:-1]]
        return counts

    def most_frequent(self, films: Mask, limit: int) -> list[NameCount]:
        """Return the names that most of the marked films have, at most `limit`.

        The most frequent first, of those alike by key. Names that none of the films has are left
        out.
        """
        counts = self.counts(films)
        return [self.named(i, int(counts[i])) for i in highest(counts, limit).tolist()]

    def named(self, number: int, films: int) -> NameCount:
        """Return the name of this number with a count."""
        name, key = self.spellings[number].decode(), self.sorted_keys[number].decode()
        return NameCount(name, key, films)

    def sums(self, films: int, value: Value) -> Scores:
        """Return for each of the films the sum over its names of the `value` of how many films each
        name has, float64 (films,)."""
        counts = np.diff(self.starts)
        of_films = np.repeat(value(counts), counts)
        return np.bincount(self.rows, of_films, films).astype(np.float64, copy=False)

    def __getitem__(self, key: str) -> Rows:
        """Return the rows of the films with a name. Raises KeyError where no film has it."""
        number = self.number(key)
        if number is None:
            raise KeyError(key)
        return self.rows[self.starts[number] : self.starts[number + 1]]

    def __iter__(self) -> Iterator[str]:
        """Iterate over the keys, in the order of their UTF-8."""
        return (self.sorted_keys[number].decode() for number in range(len(self)))

    def __len__(self) -> int:
        return len(self.sorted_keys)


def highest(counts: NDArray[np.int64], limit: int) -> Rows:
    """Return where the highest counts above 0 are, int64 (at most `limit`,), the highest first, of
    those alike the first."""
    least = np.partition(counts, -limit)[-limit] if limit < len(counts) else 1
    found = np.flatnonzero(counts >= max(least, 1))
    return found[np.argsort(-counts[found], kind="stable")][:limit]
