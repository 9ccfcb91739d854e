"""Timings by stage."""

from contextlib import AbstractContextManager
from functools import cache
from time import perf_counter
from types import TracebackType
from typing import Any

from prometheus_client import Histogram

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

    def stage(self, name: str) -> "_Stage":
        """Return a context manager that adds the time spent inside to the stage of this name."""
        return _Stage(name, self.seconds, tracing.span(name, self._trace))

    def milliseconds(self) -> dict[str, float]:
        """Return the time of each stage in ms, rounded to 1 µs."""
        # A stage may end meanwhile: that of a thread that nobody waits for any more.
        return {name: round(seconds * 1000, 3) for name, seconds in self.seconds.copy().items()}


class _Stage:
    """A stage that runs, and its span. A search has a dozen: a generator would cost more."""

    def __init__(
        self, name: str, seconds: dict[str, float], span: AbstractContextManager[Any]
    ) -> None:
        self._name = name
        self._seconds = seconds
        self._span = span

    def __enter__(self) -> None:
        self._start = perf_counter()
        self._span.__enter__()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        name = self._name
        self._span.__exit__(kind, error, trace)
        spent = perf_counter() - self._start
        self._seconds[name] = self._seconds.get(name, 0.0) + spent
        for histogram in _histograms(name):
            histogram.observe(spent)
        if name in ENGINES and isinstance(error, Exception):
            ENGINE_ERRORS.labels(name).inc()


@cache
def _histograms(name: str) -> tuple[Histogram, ...]:
    """Return the metrics that count the times of a stage; to look them up takes longer."""
    stages = STAGE_SECONDS.labels(name)
    return (stages, ENGINE_SECONDS.labels(name)) if name in ENGINES else (stages,)
