"""How well known films are, whatever a query asks for."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from hybrid.limits import NameField
from hybrid.ranking import Scores
from hybrid.storage.catalogue import Catalogue
from hybrid.storage.filter_columns import FilterColumns
from hybrid.storage.rows import Rows

PEOPLE: tuple[NameField, ...] = ("cast", "directors")


@dataclass(frozen=True)
class Votes:
    """The votes of n films: `counts` int32 (n,), below 0 without any; `most` is the highest."""

    counts: NDArray[np.int32]
    most: int

    @classmethod
    def of(cls, columns: FilterColumns) -> Self:
        """Return the votes of all films."""
        votes = columns.numbers["votes"]
        return cls(votes, int(votes.max(initial=0)))

    def shares(self, rows: Rows | None = None) -> Scores:
        """Return how well known films are, of all or of these rows, float64 (n,), 0 to 1.

        log(1 + votes) / log(1 + most): to have ten times as many votes means the same, however many
        there are. All are 0 if no film has votes.
        """
        counts = self.counts if rows is None else self.counts[rows]
        if self.most <= 0:
            return np.zeros(len(counts))
        shares: Scores = np.log1p(np.maximum(counts, 0)) / np.log1p(max(self.most, 1))
        return shares


def shares_known(catalogue: Catalogue) -> Scores:
    """Return how well known all films are, float64 (n,), 0 to 1: by votes, where any film has them.

    Else by the people who are in them: the sum over cast and directors of the logarithm of how many
    films each has, as a share of the highest. Else, where no film names people that another one
    does, by the number of sentences of their descriptions.
    """
    votes = Votes.of(catalogue.columns)
    if votes.most > 0:
        return votes.shares()
    known = np.zeros(len(catalogue))
    for field in PEOPLE:
        known += catalogue.columns.names[field].sums(len(catalogue), np.log)
    if not known.any():
        known = catalogue.sentences.counts.astype(np.float64)
    shares: Scores = known / max(known.max(initial=0), 1)
    return shares
