"""Timings by stage."""

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter


class Stopwatch:
    """Adds up the time spent in named stages, in the order in which they first ended."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Add the time spent inside to the stage of this name."""
        start = perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + perf_counter() - start

    def milliseconds(self) -> dict[str, float]:
        """Return the time of each stage in ms, rounded to 1 µs."""
        # A stage may end meanwhile: that of a thread that nobody waits for any more.
        return {name: round(seconds * 1000, 3) for name, seconds in self.seconds.copy().items()}
