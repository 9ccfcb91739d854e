"""How well known films are, whatever a query asks for."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from hybrid.ranking import Scores
from hybrid.storage.catalogue import Catalogue
from hybrid.storage.rows import Rows


@dataclass(frozen=True)
class KnownFilms:
    """What tells how well known each film is: `counts` integers (n,), below 0 where unknown.

    They are votes or, where no film of the source has votes, sentences: a source says most about
    the films that most people know. `highest` is that of any film, at least 1.
    """

    counts: NDArray[Any]
    by_votes: bool
    highest: int

    @classmethod
    def of(cls, catalogue: Catalogue) -> Self:
        """Return what is known of the films of a catalogue."""
        votes = catalogue.columns.numbers["votes"]
        most = int(votes.max(initial=0))
        if most > 0:
            return cls(votes, True, most)
        sentences = catalogue.sentences.counts
        return cls(sentences, False, int(sentences.max(initial=1)))

    def shares(self, rows: Rows | None = None) -> Scores:
        """Return how well known films are, of all or of these rows, float64 (n,), 0 to 1.

        log(1 + count) / log(1 + highest): to have ten times as many votes means the same, however
        many there are.
        """
        counts = self.counts if rows is None else self.counts[rows]
        shares: Scores = np.log1p(np.maximum(counts, 0)) / np.log1p(self.highest)
        return shares

    def priors(self, rows: Rows) -> Scores:
        """Return the `shares` of films by votes, float64 (len(rows),), all 0 without votes."""
        return self.shares(rows) if self.by_votes else np.zeros(len(rows))
