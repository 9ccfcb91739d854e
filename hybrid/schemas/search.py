"""Hits, and the answers to a search and to an explanation."""

from typing import Literal

from pydantic import Field

from hybrid.movie import Movie
from hybrid.query import ExplainQuery, SearchQuery, SimilarQuery
from hybrid.schemas.base import Answer, ResponseModel
from hybrid.schemas.explanation import Why
from hybrid.schemas.facets import Facets
from hybrid.schemas.highlight import Highlight
from hybrid.schemas.understood import Understood

DUPLICATES = "the same film, by title, year and text, which the list has only once"


class KeywordHit(ResponseModel):
    """A film as the keyword engine sees it."""

    rank: int | None = Field(description="rank in the keyword list, null outside it")
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

    rank: int | None = Field(description="rank in the semantic list, null outside it")
    score: float | None = Field(
        description="cosine of the query and the film's best sentence (of the best three, weighted "
        ".6, .2 and .2, where the query has seven words or more); null without a description"
    )
    sentence: str | None = Field(description="the best sentence")


class Duplicate(ResponseModel):
    """The same film, which the source has once more."""

    id: int
    title: str
    year: int | None


class Hit(ResponseModel):
    """A film in the answer, with its rank, its scores on both sides and itself."""

    id: int
    rank: int
    score: float = Field(description="without a text, how well known the film is, 0 to 1")
    movie: Movie
    keyword: KeywordHit
    semantic: SemanticHit
    highlight: Highlight | None = Field(description="null unless requested")
    why: Why | None = Field(description="null unless requested")
    duplicates: tuple[Duplicate, ...] = Field(description=DUPLICATES)


class ExplainHit(ResponseModel):
    """Any film as a search sees it, with the keys of a hit."""

    id: int
    rank: int | None = Field(description="null where the search does not find the film")
    score: float
    movie: Movie
    keyword: KeywordHit
    semantic: SemanticHit
    highlight: Highlight | None = Field(description="null unless requested")
    why: Why
    duplicates: tuple[Duplicate, ...] = Field(description=DUPLICATES)


class Total(ResponseModel):
    """How many films the list has, page by page."""

    value: int
    scope: Literal["candidates", "filters"] = Field(
        "candidates",
        description="candidates: the films that either engine found; filters: without a text, all "
        "films that the filters and conditions allow",
    )


class Hits(ResponseModel):
    """Hits, and how their scores are weighted."""

    hits: tuple[Hit, ...]
    total: Total
    alpha: float | None = Field(
        description="semantic share of the scores, 0 to 1; null without a text"
    )
    alpha_reason: str = Field(description="why alpha is what it is")


class _Searched(ResponseModel):
    query: SearchQuery
    understood: Understood


class SearchBody(Hits, _Searched):
    """The query, as it was understood, and its hits."""

    confident: bool | None = Field(
        description="whether a film really matches, or all are merely the nearest to nonsense or "
        "to what the catalogue is not about; null if that is unknown: in one mode alone, without "
        "an engine, or with an index of an earlier version"
    )
    next_cursor: str | None = Field(
        description="`cursor` of the request for the next page; null at the end of the list"
    )
    facets: Facets | None = Field(description="null unless requested")


class _Liked(ResponseModel):
    query: SimilarQuery


class SimilarBody(Hits, _Liked):
    """What the films should be like, as it was understood, and its hits."""


class SearchResponse(Answer, SearchBody):
    """The answer to a search. It always has the same keys."""


class SimilarResponse(Answer, SimilarBody):
    """The films that are like one, or like a text. It always has the keys of a search."""


class ExplainBody(ResponseModel):
    """The query, as it was understood, and one film."""

    query: ExplainQuery
    understood: Understood
    hit: ExplainHit
    alpha: float = Field(description="semantic share of the scores, 0 to 1")
    alpha_reason: str = Field(description="why alpha is what it is")


class ExplainResponse(Answer, ExplainBody):
    """Why a film ranks where it does for a query. It always has the same keys."""
