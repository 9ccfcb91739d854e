"""Retrieval: the films that either side finds for a query, with the complete scores of both."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hybrid.query import SearchQuery
from hybrid.ranking import Ids, Ranking, Scores
from hybrid.retrieval.query_parser import ParsedQuery
from hybrid.vectors import QueryVector


@dataclass(frozen=True)
class KeywordScores:
    """What the keyword engine says of films, `ids` int64 (n,) ascending.

    `bm25` float64 (n,), and `shares`, the same as a share of the attainable, 0 to 1; both NaN where
    the engine was not asked or did not answer. `known` is whether any film holds a word.
    """

    ids: Ids
    bm25: Scores
    shares: Scores
    known: bool

    @classmethod
    def unknown(cls, ids: Ids) -> "KeywordScores":
        """Return what is known without the engine."""
        nothing = np.full(len(ids), np.nan)
        return cls(ids, nothing, nothing, known=False)


@dataclass(frozen=True)
class Candidates:
    """The films of either list, in the order of their ids, and what each side says of them.

    Others may have been asked for beside them: `found` and `meant` tell which are in a list.

    All arrays are (n,): `titles` float64, how near each title is, 0 to 1; `found` bool, whether the
    film is in the keyword list, for its words or its title; `cosines` float64, NaN without a
    vector. `meant` is the semantic list; `meaning` is None where that side was not asked. `name` is
    a person's whole name that the query holds.
    """

    query: SearchQuery
    reading: ParsedQuery
    words: KeywordScores
    titles: Scores
    found: NDArray[np.bool_]
    cosines: Scores
    meant: Ranking
    meaning: QueryVector | None
    name: str | None
    degraded: tuple[str, ...]
