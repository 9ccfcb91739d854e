"""Postings of base and delta, read as one."""

from collections.abc import Iterator, Mapping

import numpy as np

from hybrid.storage.merged_rows import MergedRows
from hybrid.storage.postings import Postings
from hybrid.storage.rows import NO_ROWS, Rows


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

    def __getitem__(self, key: str) -> Rows:
        """Return the rows of the films with a name, int64 ascending.

        Raises KeyError where no film has it.
        """
        if key not in self._merged:
            base = self._base.get(key, NO_ROWS)
            left = self._rows.of_base(base[self._rows.counts(base)])
            new = self._rows.of_delta[self._delta.get(key, NO_ROWS)]
            self._merged[key] = np.sort(np.concatenate([left, new]), kind="stable")
        if not len(self._merged[key]):
            raise KeyError(key)
        return self._merged[key]

    def __iter__(self) -> Iterator[str]:
        """Iterate over the keys of names that a film has."""
        return (key for key in {**self._base, **self._delta} if key in self)

    def __len__(self) -> int:
        """Return the number of names that a film has."""
        return sum(1 for _ in self)
