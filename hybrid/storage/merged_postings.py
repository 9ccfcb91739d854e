"""Postings of base and delta, read as one."""

from collections.abc import Iterator, Mapping
from functools import cached_property

import numpy as np

from hybrid.ranking import Scores
from hybrid.storage.merged_rows import MergedRows
from hybrid.storage.postings import NameCount, Postings, Value, highest
from hybrid.storage.rows import NO_ROWS, Mask, Rows


class MergedPostings(Mapping[str, Rows]):
    """The rows of the films with each name in base and delta, merged when they are asked for."""

    def __init__(self, base: Postings, delta: Postings, rows: MergedRows) -> None:
        self._base = base
        self._delta = delta
        self._rows = rows
        self._merged: dict[str, Rows] = {}

    def spelling(self, key: str) -> str:
        """Return a name as films spell it. Raises KeyError where no film has it."""
        in_base = self._rows.counts(self._base.get(key, NO_ROWS)).any()
        return (self._base if in_base else self._delta).spelling(key)

    def most_frequent(self, films: Mask, limit: int) -> list[NameCount]:
        """Return the names that most of the marked films have, as `Postings.most_frequent` does."""
        in_base, in_delta = self._rows.split(films)
        base, delta = self._base.counts(in_base), self._delta.counts(in_delta)
        shared = self._numbers_in_base >= 0
        together = base.copy()
        together[self._numbers_in_base[shared]] += delta[shared]
        names = []
        for number in highest(together, limit).tolist():
            found = self._base.named(number, int(together[number]))
            # Perhaps no film of the base spells it so any longer.
            names.append(found if base[number] else found._replace(name=self.spelling(found.key)))
        new = np.where(shared, 0, delta)
        names += [self._delta.named(i, int(new[i])) for i in highest(new, limit).tolist()]
        return sorted(names, key=lambda name: (-name.films, name.key))[:limit]

    @cached_property
    def _numbers_in_base(self) -> Rows:
        """The number in the base of each name of the delta, int64 (names of the delta,), or -1."""
        numbers = [self._base.number(key) for key in self._delta]
        return np.array([-1 if one is None else one for one in numbers], np.int64)

    def sums(self, films: int, value: Value) -> Scores:
        """Return what `Postings.sums` returns of base and delta as one, float64 (films,)."""
        base, delta, rows = self._base, self._delta, self._rows
        in_base, in_delta = rows.split(np.ones(films, np.bool_))
        counts, new = base.counts(in_base), delta.counts(in_delta)
        shared = self._numbers_in_base >= 0
        counts[self._numbers_in_base[shared]] += new[shared]
        in_all = new.copy()
        in_all[shared] = counts[self._numbers_in_base[shared]]
        of_base = np.repeat(value(np.maximum(counts, 1)), np.diff(base.starts))
        of_delta = np.repeat(value(in_all), new)
        sums: Scores = rows.column(
            np.bincount(base.rows, of_base, len(in_base)),
            np.bincount(delta.rows, of_delta, len(in_delta)),
        )
        return sums

    def __getitem__(self, key: str) -> Rows:
        """Return the rows of the films with a name, int64 ascending.

        Raises KeyError where no film has it.
        """
        if key not in self._merged:
            base, delta = self._base.get(key, NO_ROWS), self._delta.get(key, NO_ROWS)
            self._merged[key] = self._rows.merge(base, delta)
        if not len(self._merged[key]):
            raise KeyError(key)
        return self._merged[key]

    def __contains__(self, key: object) -> bool:
        """Return whether a film has the name; no rows are merged for that."""
        if not isinstance(key, str):
            return False
        base = self._base.get(key, NO_ROWS)
        more_than_outdated = len(base) > len(self._rows.outdated)
        return key in self._delta or more_than_outdated or bool(self._rows.counts(base).any())

    def __iter__(self) -> Iterator[str]:
        """Iterate over the keys of names that a film has."""
        return (key for key in {**self._base, **self._delta} if key in self)

    def __len__(self) -> int:
        """Return the number of names that a film has."""
        return sum(1 for _ in self)
