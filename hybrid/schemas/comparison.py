"""One query in several rankings, and how they differ. Retrieval happens once."""

from pydantic import Field

from hybrid.movie import Movie
from hybrid.query import FusionMethod, Mode, Query
from hybrid.schemas.base import Answer, ResponseModel
from hybrid.schemas.explanation import FusionWhy, KeywordWhy, PreferredWhy, RanksWhy, SemanticWhy
from hybrid.schemas.highlight import Highlight
from hybrid.schemas.search import Hit, KeywordHit, SemanticHit
from hybrid.schemas.understood import Understood


class RunWhy(ResponseModel):
    """Why a film ranks where it does in a run; the evidence is the same in all runs."""

    summary: str
    preferred: tuple[PreferredWhy, ...]
    fusion: FusionWhy
    ranks: RanksWhy


class RunHit(ResponseModel):
    """A film that a run shows; `movies` has the film itself, once for all runs."""

    id: int
    rank: int
    score: float
    why: RunWhy | None = Field(description="null unless requested")

    @classmethod
    def of(cls, hit: Hit) -> "RunHit":
        """Return the part of a hit that depends on the run."""
        why = hit.why and RunWhy(
            summary=hit.why.summary,
            preferred=hit.why.preferred,
            fusion=hit.why.fusion,
            ranks=hit.why.ranks,
        )
        return cls(id=hit.id, rank=hit.rank, score=hit.score, why=why)


class FilmEvidence(ResponseModel):
    """What either side has found in a film."""

    keyword: KeywordWhy | None
    semantic: SemanticWhy | None


class MovieDetails(ResponseModel):
    """A film that a run shows, with what is the same in all runs."""

    movie: Movie
    keyword: KeywordHit
    semantic: SemanticHit
    highlight: Highlight | None = Field(description="null unless requested")
    why: FilmEvidence | None = Field(description="null unless requested")

    @classmethod
    def of(cls, hit: Hit) -> "MovieDetails":
        """Return the part of a hit that is the same in all runs."""
        evidence = hit.why and FilmEvidence(keyword=hit.why.keyword, semantic=hit.why.semantic)
        return cls(
            movie=hit.movie,
            keyword=hit.keyword,
            semantic=hit.semantic,
            highlight=hit.highlight,
            why=evidence,
        )


class RunResponse(ResponseModel):
    """The ranking of one run."""

    mode: Mode
    fusion: FusionMethod
    alpha: float = Field(description="semantic share of the scores, 0 to 1")
    alpha_reason: str = Field(description="why alpha is what it is")
    hits: tuple[RunHit, ...]
    measures: dict[str, float] | None = Field(
        description="nDCG@10, MRR@10 and unjudged@10; null without judgments"
    )


class Move(ResponseModel):
    """A film that two runs rank differently."""

    id: int
    title: str
    a: int | None = Field(description="its rank in run a, null below the first `limit`")
    b: int | None = Field(description="its rank in run b, null below the first `limit`")
    by: int | None = Field(description="ranks gained from a to b, null where a rank is null")


class Pair(ResponseModel):
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


class RunRank(ResponseModel):
    """A candidate in one run."""

    rank: int | None = Field(description="null where the run's mode does not list the film")
    score: float


class CandidateMovie(ResponseModel):
    """A candidate with what every linear fusion of it needs."""

    title: str
    year: int | None
    genres: tuple[str, ...] = Field(description="the first 50")
    keyword: float | None = Field(description="keyword share, 0 to 1")
    keyword_rank: int | None
    semantic: float | None = Field(description="semantic score, a cosine")
    semantic_rank: int | None
    sentence: str | None = Field(
        description="the nearest to the query, of which the first 200 characters; null without one"
    )
    preferred: float = Field(
        description="what the film gains in hybrid runs by what the query prefers, as a share of "
        "the range of scores"
    )
    runs: dict[str, RunRank]
    details: MovieDetails | None = Field(description="null unless a run shows the film")


class ListStatistics(ResponseModel):
    """The figures by which min_max, z_score and dbsf normalise a side; null for an empty list."""

    count: int
    lowest: float | None
    highest: float | None
    mean: float | None
    deviation: float | None


class RetrievedLists(ResponseModel):
    """The retrieved list of each side, in shares and cosines."""

    keyword: ListStatistics
    semantic: ListStatistics


class Swap(ResponseModel):
    """Two neighbours of a hybrid run, and the alpha at which their order changes."""

    run: str
    above: int
    below: int
    alpha: float


class CompareBody(ResponseModel):
    """The query, as it was understood, its runs, and how they differ."""

    query: Query
    understood: Understood
    runs: dict[str, RunResponse]
    pairs: tuple[Pair, ...]
    movies: dict[int, CandidateMovie] = Field(description="every candidate, by id")
    lists: RetrievedLists
    swaps: tuple[Swap, ...]


class CompareResponse(Answer, CompareBody):
    """The answer to a comparison. It always has the same keys."""
