"""The moment by which a search must be answered."""

from dataclasses import dataclass
from math import inf
from time import monotonic
from typing import Self


@dataclass(frozen=True)
class Deadline:
    """A moment, `at` seconds of the monotonic clock. It is total: no step on the way extends it."""

    at: float

    @classmethod
    def after(cls, seconds: float) -> Self:
        """Return the deadline this many seconds from now."""
        return cls(monotonic() + seconds)

    @property
    def left(self) -> float:
        """Seconds until the deadline, 0 once it has passed; infinite for NEVER."""
        return max(self.at - monotonic(), 0.0)

    def part(self, share: float) -> "Deadline":
        """Return the deadline after this share, above 0 and up to 1, of the time left.

        The rest is for what follows.
        """
        now = monotonic()
        return Deadline(now + share * max(self.at - now, 0.0))


NEVER = Deadline(inf)
"""The deadline of what may take its time: builds and evaluations."""
