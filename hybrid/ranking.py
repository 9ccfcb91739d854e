"""Rankings: ids and scores as arrays."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int64]

NO_FILMS: Ids = np.empty(0, np.int64)

Scores = NDArray[np.float64]

Ranks = NDArray[np.int64]


@dataclass(frozen=True)
class Ranking:
    """Films from best to worst: `ids` int64 (n,), `scores` float64 (n,).

    Equal scores are in the order of ids, so rankings are deterministic.
    """

    ids: Ids
    scores: Scores

    @classmethod
    def sorted(cls, ids: Ids, scores: Scores, depth: int | None = None) -> Self:
        """Return the best `depth` films by score descending, then id ascending."""
        order = np.lexsort((ids, -scores))[:depth]
        return cls(ids[order], scores[order])

    @classmethod
    def empty(cls) -> Self:
        """Return an empty ranking."""
        return cls(np.empty(0, np.int64), np.empty(0, np.float64))

    def __len__(self) -> int:
        return len(self.ids)

    def top(self, depth: int) -> "Ranking":
        """Return the best `depth` of these films."""
        return Ranking(self.ids[:depth], self.scores[:depth])

    def united(self, other: "Ranking") -> "Ranking":
        """Return the films of both rankings, which score a film that is in both alike."""
        new = other.without(self.ids)
        return Ranking.sorted(
            np.concatenate([self.ids, new.ids]), np.concatenate([self.scores, new.scores])
        )

    def without(self, ids: Ids) -> "Ranking":
        """Return the films that are not among `ids`."""
        if not len(ids):
            return self
        kept = ~np.isin(self.ids, ids)
        return Ranking(self.ids[kept], self.scores[kept])

    def ranks_of(self, ids: Ids) -> Ranks:
        """Return the 1-based rank of each of `ids`, int64 (len(ids),), 0 outside this ranking."""
        if not len(self):
            return np.zeros(len(ids), np.int64)
        order = self.ids.argsort()
        ascending = self.ids[order]
        places = ascending.searchsorted(ids)
        places[places == len(self)] = 0
        ranks: Ranks = (order[places] + 1) * (ascending[places] == ids)
        return ranks

    def scores_of(self, ids: Ids) -> Scores:
        """Return the score of each of `ids`, float64 (len(ids),), 0 outside this ranking."""
        ranks = self.ranks_of(ids)
        scores = np.zeros(len(ids), np.float64)
        scores[ranks > 0] = self.scores[ranks[ranks > 0] - 1]
        return scores


def distinct(ids: Ids) -> Ids:
    """Return these ids once each, int64 ascending.

    `np.unique` hashes before it sorts, which takes several times as long for a few hundred.
    """
    ordered = np.sort(ids)
    first = np.ones(len(ordered), np.bool_)
    np.not_equal(ordered[1:], ordered[:-1], out=first[1:])
    return ordered[first]


def union(*lists: Ids) -> Ids:
    """Return the ids that are in one of the lists, int64 ascending."""
    return distinct(np.concatenate(lists))


def marked(ids: Ids, *lists: Ids) -> NDArray[np.bool_]:
    """Return which of `ids`, ascending, are in one of the lists, all of whose ids are among them.

    bool (len(ids),).
    """
    marks = np.zeros(len(ids), np.bool_)
    for some in lists:
        marks[ids.searchsorted(some)] = True
    return marks


@dataclass(frozen=True, eq=False)
class FilmSet:
    """Films: `ids` int64 (n,) ascending. Equal only to itself, so that it can be a key."""

    ids: Ids
