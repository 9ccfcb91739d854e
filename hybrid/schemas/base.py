"""What the parts of an answer share, and what every answer ends with."""

from pydantic import BaseModel, ConfigDict, Field


class ResponseModel(BaseModel):
    """A part of an answer: frozen, without other fields than its own."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Answer(ResponseModel):
    """What every answer ends with.

    An answer names this class before the one with its own fields: pydantic orders fields from
    the last base class to the first.
    """

    degraded: tuple[str, ...] = Field(description="engines that did not take part")
    warnings: tuple[str, ...]
    timings_ms: dict[str, float]
    generation: str
