"""One query in several rankings, and how they differ. Retrieval happens once."""

from pydantic import Field

from hybrid.query import FusionMethod, Mode
from hybrid.schemas.base import Answer
from hybrid.schemas.requests import QueryFields
from hybrid.schemas.search import FusedHit


class RunAnswer(Answer):
    """What one run makes of the query."""

    mode: Mode
    fusion: FusionMethod
    alpha: float = Field(description="semantic share of the scores, 0 to 1")
    alpha_reason: str = Field(description="why alpha is what it is")
    hits: tuple[FusedHit, ...]
    measures: dict[str, float] | None = Field(
        description="nDCG@10, MRR@10 and unjudged@10; null without judgments"
    )


class Move(Answer):
    """A film that two runs place differently."""

    id: int
    title: str
    a: int | None = Field(description="its rank in run a, null below the first `limit`")
    b: int | None = Field(description="its rank in run b, null below the first `limit`")
    by: int | None = Field(description="places gained from a to b, null where a rank is null")


class Pair(Answer):
    """How far two runs agree on the first `limit` films."""

    a: str
    b: str
    common: int = Field(description="films that both show")
    jaccard: float = Field(description="the same as a share of the films that either shows")
    rbo: float = Field(description="extrapolated rank-biased overlap, p = .9, 0 to 1")
    kendall_tau: float | None = Field(
        description="tau-b, -1 to 1, of the films that both rank at all; null without an order"
    )
    moves: tuple[Move, ...] = Field(description="the largest, ten at most")


class Place(Answer):
    """A candidate in one run."""

    rank: int | None = Field(description="null where the run's mode does not list the film")
    score: float


class ComparedMovie(Answer):
    """A candidate with what every linear fusion of it needs."""

    title: str
    year: int | None
    genres: tuple[str, ...]
    keyword: float | None = Field(description="keyword share, 0 to 1")
    keyword_rank: int | None
    semantic: float | None = Field(description="semantic score, a cosine")
    semantic_rank: int | None
    runs: dict[str, Place]


class ListFigures(Answer):
    """What min_max, z_score and dbsf normalise a side by; null where its list is empty."""

    count: int
    lowest: float | None
    highest: float | None
    mean: float | None
    deviation: float | None


class Lists(Answer):
    """The retrieved list of each side, in shares and cosines."""

    keyword: ListFigures
    semantic: ListFigures


class Swap(Answer):
    """Two neighbours of a hybrid run, and the alpha at which they change places."""

    run: str
    above: int
    below: int
    alpha: float


class CompareResponse(Answer):
    """The answer to a comparison. It has always the same keys."""

    query: QueryFields
    runs: dict[str, RunAnswer]
    pairs: tuple[Pair, ...]
    movies: dict[int, ComparedMovie] = Field(description="every candidate, by id")
    lists: Lists
    swaps: tuple[Swap, ...]
    degraded: tuple[str, ...] = Field(description="engines that did not take part")
    warnings: tuple[str, ...]
    timings_ms: dict[str, float]
    generation: str
