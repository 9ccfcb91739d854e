"""What is to be tested, and what came of it."""

from dataclasses import dataclass

from mutation.mutants import Mutant

BROKEN = 97
"""Exit code where not a test failed, but mutation testing."""

NOT_EXCHANGED = 98
"""Exit code where a mutant's function is not found among those that are imported."""


@dataclass(frozen=True)
class Limits:
    """How long a trial may take.

    `processor` seconds, which a busy machine does not lengthen, stop a mutant that computes without
    end; `wall` seconds one that waits without end.
    """

    processor: float = 600
    wall: float = 600


@dataclass(frozen=True)
class Trial:
    """Exit code and output of a process of pytest."""

    code: int
    output: str

    @property
    def killed(self) -> bool:
        """Whether any test failed or took too long."""
        return self.code != 0


@dataclass(frozen=True)
class Job:
    """Tests to run in this order by their ids, up to the first that fails.

    On a mutant: in a process that has imported the code before and exchanges the mutant's function,
    or one that imports the code anew. Without one: and measure which lines they reach.
    """

    tests: tuple[str, ...]
    mutant: Mutant | None = None
    anew: bool = False
    limits: Limits = Limits()
