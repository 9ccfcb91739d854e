"""What was found: rankings while they are worked on, and the response that is sent."""

from dataclasses import dataclass
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from hybrid.answer import Answer
from hybrid.explanation import Why
from hybrid.fields import SearchBody
from hybrid.highlight import Highlight
from hybrid.movie import Movie

Ids = NDArray[np.int64]
Scores = NDArray[np.float64]
Ranks = NDArray[np.int64]


@dataclass(frozen=True)
class Ranking:
    """Films from best to worst: `ids` int64 (n,), `scores` float64 (n,).

    Equal scores stand in the order of their ids, so that the same question always gets the same
    answer.
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
        """Return the ranking of no film."""
        return cls(np.empty(0, np.int64), np.empty(0, np.float64))

    def __len__(self) -> int:
        return len(self.ids)

    def top(self, depth: int) -> "Ranking":
        """Return the best `depth` of these films."""
        return Ranking(self.ids[:depth], self.scores[:depth])

    def ranks_of(self, ids: Ids) -> Ranks:
        """Return the 1-based rank of each of `ids`, 0 where it is not in this ranking."""
        rank = {film: position for position, film in enumerate(self.ids.tolist(), start=1)}
        return np.fromiter((rank.get(film, 0) for film in ids.tolist()), np.int64, len(ids))


class KeywordHit(Answer):
    """A film as the keyword engine sees it."""

    rank: int | None = Field(description="place in the keyword list, null outside it")
    score: float | None = Field(description="BM25; 0 where no word of the query occurs")
    title: float | None = Field(
        description="how near the query is to the title, 0 to 1; 0 where it is far"
    )
    share: float | None = Field(
        description="what counts, 0 to 1: the larger of `title` and of BM25 as a weighted share of "
        "the most that this query could score on any film"
    )


class SemanticHit(Answer):
    """A film as the semantic engine sees it."""

    rank: int | None = Field(description="place in the semantic list, null outside it")
    score: float | None = Field(
        description="cosine of the query and the film's best sentence (of the best three, weighted "
        ".6, .2 and .2, where the query has seven words or more); null without a description"
    )
    sentence: str | None = Field(description="the best sentence")


class FusedHit(Answer):
    """A film in the answer, with its place, its scores on both sides and itself."""

    id: int
    rank: int
    score: float
    movie: Movie
    keyword: KeywordHit
    semantic: SemanticHit
    highlight: Highlight | None = Field(description="null unless asked for")
    why: Why | None = Field(description="null unless asked for")


class ExplainedHit(Answer):
    """Any film as a search sees it, with the keys of a hit."""

    id: int
    rank: int | None = Field(description="null where the search does not find the film")
    score: float
    movie: Movie
    keyword: KeywordHit
    semantic: SemanticHit
    highlight: Highlight | None = Field(description="null unless asked for")
    why: Why


class Total(Answer):
    """How many films were considered."""

    value: int
    scope: Literal["candidates"] = "candidates"


class SearchResponse(Answer):
    """The answer to a search. It has always the same keys."""

    query: SearchBody
    hits: tuple[FusedHit, ...]
    total: Total
    alpha: float = Field(description="semantic share of the scores, 0 to 1")
    alpha_reason: str = Field(description="why alpha is what it is")
    degraded: tuple[str, ...] = Field(description="engines that did not take part")
    warnings: tuple[str, ...]
    timings_ms: dict[str, float]
    generation: str


class ExplainResponse(Answer):
    """Why a film ranks where it does for a query. It has always the same keys."""

    query: SearchBody
    hit: ExplainedHit
    alpha: float = Field(description="semantic share of the scores, 0 to 1")
    alpha_reason: str = Field(description="why alpha is what it is")
    degraded: tuple[str, ...] = Field(description="engines that did not take part")
    warnings: tuple[str, ...]
    timings_ms: dict[str, float]
    generation: str
