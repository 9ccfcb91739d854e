"""Timings by stage."""

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter

from hybrid.monitoring import tracing
from hybrid.monitoring.metrics import ENGINE_ERRORS, ENGINE_SECONDS, STAGE_SECONDS

ENGINES = frozenset(("keyword", "semantic", "encode"))
"""The stages that are calls of an engine."""


class Stopwatch:
    """Adds up the time spent in named stages, in the order in which they first ended.

    Each stage is also counted in the metrics, and is a span of the trace in which the stopwatch
    was made.
    """

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._trace = tracing.context()

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Add the time spent inside to the stage of this name."""
        start = perf_counter()
        try:
            with tracing.span(name, self._trace):
                yield
        except Exception:
            if name in ENGINES:
                ENGINE_ERRORS.labels(name).inc()
            raise
        finally:
            spent = perf_counter() - start
            self.seconds[name] = self.seconds.get(name, 0.0) + spent
            STAGE_SECONDS.labels(name).observe(spent)
            if name in ENGINES:
                ENGINE_SECONDS.labels(name).observe(spent)

    def milliseconds(self) -> dict[str, float]:
        """Return the time of each stage in ms, rounded to 1 µs."""
        # A stage may end meanwhile: that of a thread that nobody waits for any more.
        return {name: round(seconds * 1000, 3) for name, seconds in self.seconds.copy().items()}
