"""What was found: rankings while they are worked on, and the response that is sent."""

from typing import Literal

from pydantic import Field

from hybrid.movie import Movie
from hybrid.schemas.base import ResponseModel
from hybrid.schemas.explanation import Why
from hybrid.schemas.highlight import Highlight
from hybrid.schemas.requests import SearchRequest


class KeywordHit(ResponseModel):
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


class SemanticHit(ResponseModel):
    """A film as the semantic engine sees it."""

    rank: int | None = Field(description="place in the semantic list, null outside it")
    score: float | None = Field(
        description="cosine of the query and the film's best sentence (of the best three, weighted "
        ".6, .2 and .2, where the query has seven words or more); null without a description"
    )
    sentence: str | None = Field(description="the best sentence")


class Hit(ResponseModel):
    """A film in the answer, with its place, its scores on both sides and itself."""

    id: int
    rank: int
    score: float
    movie: Movie
    keyword: KeywordHit
    semantic: SemanticHit
    highlight: Highlight | None = Field(description="null unless asked for")
    why: Why | None = Field(description="null unless asked for")


class ExplainHit(ResponseModel):
    """Any film as a search sees it, with the keys of a hit."""

    id: int
    rank: int | None = Field(description="null where the search does not find the film")
    score: float
    movie: Movie
    keyword: KeywordHit
    semantic: SemanticHit
    highlight: Highlight | None = Field(description="null unless asked for")
    why: Why


class Total(ResponseModel):
    """How many films were considered."""

    value: int
    scope: Literal["candidates"] = "candidates"


class SearchResponse(ResponseModel):
    """The answer to a search. It has always the same keys."""

    query: SearchRequest
    hits: tuple[Hit, ...]
    total: Total
    alpha: float = Field(description="semantic share of the scores, 0 to 1")
    alpha_reason: str = Field(description="why alpha is what it is")
    degraded: tuple[str, ...] = Field(description="engines that did not take part")
    warnings: tuple[str, ...]
    timings_ms: dict[str, float]
    generation: str


class ExplainResponse(ResponseModel):
    """Why a film ranks where it does for a query. It has always the same keys."""

    query: SearchRequest
    hit: ExplainHit
    alpha: float = Field(description="semantic share of the scores, 0 to 1")
    alpha_reason: str = Field(description="why alpha is what it is")
    degraded: tuple[str, ...] = Field(description="engines that did not take part")
    warnings: tuple[str, ...]
    timings_ms: dict[str, float]
    generation: str
