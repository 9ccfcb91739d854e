"""Which films have which phrases, as engines find it: by a score of 2^n for the n-th phrase."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hybrid.ranking import Ids, Ranking

MAX_PHRASES = 24
"""Phrases that are told apart: float32, in which engines score, holds as many bits."""

MANY_FILMS = 1000
"""Films that are listed; if as many have a phrase, the candidates alone are looked at instead."""


@dataclass(frozen=True)
class PhraseFilms:
    """All films, or all of some films, that have at least one of `count` phrases.

    Each is scored by the sum of 2^n of its phrases n, counted from 0.
    """

    films: Ranking
    count: int

    @classmethod
    def listed(cls, films: Ranking, count: int) -> "PhraseFilms | None":
        """Return what a search for at most MANY_FILMS films found; None if it found as many, and
        others may have a phrase, too."""
        return cls(films, count) if len(films) < MANY_FILMS else None

    @classmethod
    def none(cls, count: int) -> "PhraseFilms":
        """Return that no film has one of so many phrases."""
        return cls(Ranking.empty(), count)

    def of(self, ids: Ids) -> NDArray[np.bool_]:
        """Return which of these films has which phrase, bool (len(ids), count)."""
        scores = self.films.scores_of(ids).astype(np.int64)
        return (scores[:, np.newaxis] >> np.arange(self.count) & 1).astype(np.bool_)
