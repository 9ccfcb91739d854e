"""How a query was read."""

from typing import Literal

from pydantic import Field

from hybrid.schemas.base import ResponseModel


class Span(ResponseModel):
    """A part of the query's text: the characters from `start` up to and without `end`."""

    start: int
    end: int


class UnderstoodPart(ResponseModel):
    """A part of the query that is more than plain text."""

    field: Literal["text", "title", "person", "genre", "year", "like"] = Field(
        description="what is compared: the film's whole text, its titles, its people, genres, "
        "year; like: the films found are like the one of this title"
    )
    value: str = Field(description="what it is compared with, as typed")
    excluded: bool = Field(description="true: films that match are left out")
    preferred: bool = Field(
        description="true: films that match gain, and no other is left out; false: it is required"
    )
    span: Span | None = Field(
        description="where it stands in query.query; null for a field of the request"
    )
    without: str | None = Field(
        description="the text of the query without it; null for a field of the request"
    )


class Understood(ResponseModel):
    """How the query was read: its plain text, and what limits the films."""

    text: str = Field(description="what is searched for by words and by meaning")
    parts: tuple[UnderstoodPart, ...]
