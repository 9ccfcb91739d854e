"""Rows of a catalogue: those of the base that still count and those of the delta, in one order."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from hybrid.ranking import Ids
from hybrid.storage.rows import Mask, Rows


@dataclass(frozen=True)
class MergedRows:
    """How the films of base and delta follow each other in the order of ids.

    `outdated` are the rows of the base that do not count, int64 ascending; `places` int64 (films
    of the delta,) ascending are the rows of the base before which those of the delta belong.
    """

    outdated: Rows
    places: Rows

    @classmethod
    def of(cls, base: Ids, outdated: Ids, delta: Ids) -> Self:
        """Return how to merge the films of these ids; all ids of `outdated` are in the base."""
        return cls(base.searchsorted(outdated), base.searchsorted(delta))

    @property
    def is_base(self) -> bool:
        """Whether the films are those of the base."""
        return not len(self.outdated) and not len(self.places)

    @cached_property
    def of_delta(self) -> Rows:
        """The row of each film of the delta, int64 (films of the delta,) ascending."""
        rows: Rows = self._places_left + np.arange(len(self.places))
        return rows

    def of_base(self, rows: Rows) -> Rows:
        """Return where rows of the base are, int64 (n,); all of them must count."""
        moved: Rows = (
            rows - self.outdated.searchsorted(rows) + self.places.searchsorted(rows, side="right")
        )
        return moved

    def counts(self, rows: Rows) -> Mask:
        """Return which rows of the base count, bool (n,)."""
        return ~np.isin(rows, self.outdated)

    def merge(self, base: Rows, delta: Rows) -> Rows:
        """Return where rows of the base that count and rows of the delta are, int64 ascending."""
        left = self.of_base(base[self.counts(base)])
        return np.sort(np.concatenate([left, self.of_delta[delta]]), kind="stable")

    def column(self, base: NDArray[Any], delta: NDArray[Any]) -> NDArray[Any]:
        """Return the values of all films, given those of base and delta."""
        if self.is_base:
            return base
        return np.insert(np.delete(base, self.outdated), self._places_left, delta)

    def split(self, films: Mask) -> tuple[Mask, Mask]:
        """Return which films of the base and which of the delta are marked, given all films."""
        of_base = np.delete(films, self.of_delta)
        places = self.outdated - np.arange(len(self.outdated))
        return np.insert(of_base, places, False), films[self.of_delta]

    @cached_property
    def _places_left(self) -> Rows:
        """The places of the delta's films once the outdated rows are gone."""
        return self.places - self.outdated.searchsorted(self.places)
