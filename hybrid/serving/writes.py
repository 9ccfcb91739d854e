"""Changing single films while they are served: what the service asks of the write side."""

from collections.abc import Mapping
from typing import Protocol

from hybrid.schemas.changes import ChangeResponse

AT_ONCE = 16
"""Changes that wait to be published at the same time in one process; more are refused."""


class Writes(Protocol):
    """Changes films, one by one. Every method returns once its change is published.

    They raise TooManyChanges, BuildFailed, EngineUnavailable or GenerationUnusable where it cannot
    be: then nothing has changed. NotDurable is raised where the change is published but a power cut
    may undo it: then the same change, made again, puts it on the disk or raises again.
    """

    def put(self, film: int, values: Mapping[str, object]) -> ChangeResponse:
        """Add a film, or replace the one of this id. Raises InvalidInput naming the fields."""
        ...

    def close(self) -> None:
        """Publish what is waiting. Nothing may be asked for afterwards."""
        ...

    def delete(self, film: int) -> ChangeResponse:
        """Remove a film. Raises NotFound."""
        ...
