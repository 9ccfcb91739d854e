"""The protocol by which the service changes single films while it serves them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from hybrid.schemas.changes import ChangeResponse

AT_ONCE = 16
"""Maximum number of changes of one process that wait to be published; more are refused."""


ANY = "*"
"""Among the contents of a condition: any content, that is, the film exists."""


@dataclass(frozen=True)
class Condition:
    """What the content of a film must be for a change to be made, by hashes (`content_hash`).

    A film must have one of `among`, and none of `not_among`; None requires nothing.
    """

    among: frozenset[str] | None = None
    not_among: frozenset[str] | None = None

    def holds(self, content: str | None) -> bool:
        """Whether a film of this content may be changed; None is a film that does not exist."""
        if self.among is not None and not _is_among(content, self.among):
            return False
        return self.not_among is None or not _is_among(content, self.not_among)


def _is_among(content: str | None, contents: frozenset[str]) -> bool:
    return content is not None and (ANY in contents or content in contents)


@dataclass(frozen=True)
class Terms:
    """On what terms a change is made: under which condition, and with which key, by its id."""

    condition: Condition = Condition()
    key: str | None = None


NO_TERMS = Terms()


class Writes(Protocol):
    """Changes single films. `put` and `delete` return once the change is published.

    They raise TooManyChanges, BuildFailed, AnotherWriter, EngineUnavailable or GenerationUnusable
    where it cannot be published: then nothing has changed. They raise NotDurable where the change
    is published but a power cut may undo it: repeating the change makes it durable or raises again.
    They raise PreconditionFailed where the condition of the terms does not hold for the film that
    the change would change; nothing changes the film in between.
    """

    def put(
        self, film: int, values: Mapping[str, object], terms: Terms = NO_TERMS
    ) -> ChangeResponse:
        """Add a film, or replace the one with this id. Raises InvalidInput naming the fields."""
        ...

    def close(self) -> None:
        """Publish the changes that are waiting. No other method may be called afterwards."""
        ...

    def delete(self, film: int, terms: Terms = NO_TERMS) -> ChangeResponse:
        """Remove a film. Raises NotFound."""
        ...
