"""Explanations of a film's rank."""

from typing import Literal

from pydantic import Field

from hybrid.schemas.base import ResponseModel


class TermWhy(ResponseModel):
    """What a word of the query contributes."""

    word: str = Field(description="as it is typed")
    term: str = Field(description="as it is searched")
    field: Literal["text", "title"] = Field(
        description="title where the word also occurs in a title, which is part of the text"
    )
    frequency: int = Field(description="how often it occurs in the film's text")
    idf: float = Field(description="how rare it is: log(1 + (N - n + .5) / (n + .5))")
    score: float = Field(description="BM25; those of all words add up to keyword.score")
    share: float = Field(description="the same as a part of the keyword share by words")


class KeywordWhy(ResponseModel):
    """What the keyword side contributes."""

    counts: Literal["text", "title"] | None = Field(
        description="what keyword.share comes from; null where it has no word of the query"
    )
    title: float | None = Field(
        description="similarity of the title, 0 to 1, if that is what counts"
    )
    text: float | None = Field(description="share by words, to which those of the terms add up")
    terms: tuple[TermWhy, ...] | None = Field(
        description="in the order typed; null where the keyword engine does not answer"
    )
    together: float = Field(
        description="share of the query's neighbouring words that stand together in the film, 0 to "
        "1; it raises `text` by up to a fifth"
    )
    not_found: tuple[str, ...] = Field(description="words that the film does not contain")


class SentenceWhy(ResponseModel):
    """A sentence that counts."""

    sentence: str
    cosine: float
    weight: float


class WordWhy(ResponseModel):
    """How much of the meaning a word of the query carries."""

    word: str = Field(description="as typed")
    term: str = Field(description="as searched")
    drop: float = Field(description="what semantic.score loses when the query lacks the word")


class SemanticWhy(ResponseModel):
    """What the semantic side contributes."""

    sentences: tuple[SentenceWhy, ...] = Field(
        description="the nearest first; cosines times weights add up to semantic.score"
    )
    words: tuple[WordWhy, ...] | None = Field(description="null unless the explanation is full")


class PreferredWhy(ResponseModel):
    """A part of the query that films gain by."""

    field: Literal["person", "genre", "year"]
    value: str = Field(description="as typed")
    met: bool = Field(description="whether the film has it")
    gain: float = Field(description="what the film gains by it, 0 where it does not meet it")


class FusionWhy(ResponseModel):
    """How the score comes from both sides."""

    formula: str
    keyword: float = Field(description="the keyword side's part of the score")
    semantic: float = Field(description="the semantic side's part of the score")
    prior: float = Field(description="the part of the score for how well known the film is")
    preferred: float = Field(description="what the film gains in all by what the query prefers")


class RanksWhy(ResponseModel):
    """The film's rank with both sides and with one; null where it is not in that list."""

    hybrid: int | None
    keyword_only: int | None
    semantic_only: int | None


class Why(ResponseModel):
    """Why a film ranks where it does."""

    summary: str
    keyword: KeywordWhy | None = Field(description="null where the mode leaves that side out")
    semantic: SemanticWhy | None = Field(description="null where the mode leaves that side out")
    preferred: tuple[PreferredWhy, ...] = Field(
        description="the parts of the query that films gain by, in the order typed"
    )
    fusion: FusionWhy
    ranks: RanksWhy
