"""The protocol by which the service changes single films while it serves them."""

from collections.abc import Mapping
from typing import Protocol

from hybrid.schemas.changes import ChangeResponse

AT_ONCE = 16
"""Maximum number of changes of one process that wait to be published; more are refused."""


class Writes(Protocol):
    """Changes single films. `put` and `delete` return once the change is published.

    They raise TooManyChanges, BuildFailed, AnotherWriter, EngineUnavailable or GenerationUnusable
    where it cannot be published: then nothing has changed. They raise NotDurable where the change
    is published but a power cut may undo it: repeating the change makes it durable or raises again.
    """

    def put(self, film: int, values: Mapping[str, object]) -> ChangeResponse:
        """Add a film, or replace the one with this id. Raises InvalidInput naming the fields."""
        ...

    def close(self) -> None:
        """Publish the changes that are waiting. No other method may be called afterwards."""
        ...

    def delete(self, film: int) -> ChangeResponse:
        """Remove a film. Raises NotFound."""
        ...
