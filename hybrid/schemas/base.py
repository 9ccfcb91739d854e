"""What all parts of an answer have in common."""

from pydantic import BaseModel, ConfigDict


class ResponseModel(BaseModel):
    """A part of an answer: never changed, and of no other fields than it names."""

    model_config = ConfigDict(frozen=True, extra="forbid")
