"""The candidates of a query, and the scores that both engines give them."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hybrid.query import RankedQuery, SimilarQuery
from hybrid.ranking import Ids, Ranking, Scores
from hybrid.retrieval.adjacency import GAIN
from hybrid.retrieval.query_parser import ParsedQuery
from hybrid.vectors import QueryVector


@dataclass(frozen=True)
class KeywordScores:
    """The keyword engine's scores of n candidates.

    `bm25` float64 (n,); `shares` float64 (n,), the same divided by the highest score that the query
    can attain, and raised by adjacency, 0 to 1. Both are NaN if the engine was not asked or did not
    answer. `adjacency` float64 (n,) is which share of the neighbouring words of the query stand
    together, 0 to 1. `any_match` is whether any film of the index contains a word of the query.
    """

    bm25: Scores
    shares: Scores
    adjacency: Scores
    any_match: bool

    @classmethod
    def missing(cls, n: int) -> "KeywordScores":
        """Return the scores of n candidates without the engine."""
        scores = np.full(n, np.nan)
        return cls(scores, scores, np.zeros(n), any_match=False)

    def raised(self, adjacency: Scores) -> "KeywordScores":
        """Return the scores with shares raised by adjacency, up to 1."""
        shares = self.shares * (1 + GAIN * adjacency)
        return replace(
            self, shares=np.minimum(shares, np.maximum(self.shares, 1.0)), adjacency=adjacency
        )


@dataclass(frozen=True)
class Candidates:
    """The films in either engine's list, and possibly others, with all their scores.

    `ids` int64 (n,) ascending; the other arrays are in their order: `title_shares` float64 (n,),
    the similarity of query and title, 0 to 1; `in_keyword_list` bool (n,), whether words or title
    put the film into the keyword list; `cosines` float64 (n,), the semantic score, NaN for a film
    without a vector; `sentences` int64 (n,), the number of its sentence that is nearest to the
    query, -1 without one; `known` float64 (n,), how well known the film is by its votes, 0 to 1,
    and 0 where no film of the source has votes; `meets` bool (n, parts), which of the parts that
    films gain by (`parsed.preferred`) it meets. `semantic_list` ranks the films of the semantic
    list; `query_vector` is None if that engine was not asked. `person` is a full name of a person
    in the query. `degraded` names the engines that did not answer.
    """

    query: RankedQuery
    parsed: ParsedQuery
    ids: Ids
    keyword: KeywordScores
    title_shares: Scores
    in_keyword_list: NDArray[np.bool_]
    cosines: Scores
    sentences: Ids
    known: Scores
    meets: NDArray[np.bool_]
    semantic_list: Ranking
    query_vector: QueryVector | None
    person: str | None
    degraded: tuple[str, ...]

    @property
    def by_likeness(self) -> bool:
        """Whether these are films like another one, which the query names, or like a text."""
        return self.parsed.liked is not None or isinstance(self.query, SimilarQuery)

    def rows_of(self, ids: Ids) -> NDArray[np.int64]:
        """Return the row of each of `ids`, all of them candidates, int64 (len(ids),)."""
        return np.searchsorted(self.ids, ids)
