"""The metrics of this process, in the registry of prometheus_client, which /metrics writes out.

Counters and histograms of several processes add up. With the variable PROMETHEUS_MULTIPROC_DIR,
prometheus_client keeps them in files of that folder, and `registry` returns their sums.
"""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, TypeVar

from prometheus_client import (
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

if TYPE_CHECKING:
    from functools import _lru_cache_wrapper

# They double the number of series, and say only when a process began to count.
disable_created_metrics()  # type: ignore[no-untyped-call]

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
"""Upper bounds of the buckets of all histograms."""

REQUESTS = Counter(
    "hybrid_requests",
    "Requests answered, by route, method and status",
    ("route", "method", "status"),
)
REQUEST_SECONDS = Histogram(
    "hybrid_request_seconds",
    "Time from a thread's taking a request to its answer",
    ("route",),
    buckets=SECONDS,
)
IN_FLIGHT = Gauge(
    "hybrid_requests_in_flight", "Requests that a thread is answering", multiprocess_mode="livesum"
)
WAITING = Gauge(
    "hybrid_requests_waiting",
    "Requests that wait for a thread, by the lane of their kind",
    ("lane",),
    multiprocess_mode="livesum",
)
REFUSED = Counter("hybrid_refused", "Requests answered with an error, by its code", ("code",))
SLOW = Counter("hybrid_slow_requests", "Requests that took HYBRID_SLOW or longer", ("route",))
DEGRADED = Counter("hybrid_degraded", "Answers without one of the engines, by engine", ("engine",))
STAGE_SECONDS = Histogram(
    "hybrid_stage_seconds",
    "Time of a stage of a search, total included",
    ("stage",),
    buckets=SECONDS,
)
ENGINE_SECONDS = Histogram(
    "hybrid_engine_seconds",
    "Time of a call of an engine",
    ("engine",),
    buckets=SECONDS,
)
ENGINE_ERRORS = Counter("hybrid_engine_errors", "Calls of an engine that failed", ("engine",))
GENERATIONS = Counter("hybrid_generations_served", "Times that another generation was put to use")

Result = TypeVar("Result")


def cached(
    name: str, maxsize: int
) -> "Callable[[Callable[[str], Result]], _lru_cache_wrapper[Result]]":
    """Return a decorator like `lru_cache(maxsize)` whose hits and misses are metrics."""

    def decorate(function: Callable[[str], Result]) -> "_lru_cache_wrapper[Result]":
        cache = lru_cache(maxsize)(function)
        _caches[name] = cache.cache_info
        return cache

    return decorate


_caches: dict[str, Callable[[], "tuple[int, int, int | None, int]"]] = {}
"""Name of a cache -> function that returns its hits, misses, maximum and present size."""


@dataclass
class CacheCounts:
    """Hits and misses of all caches of one name, and how many results the last one holds."""

    hits: int = 0
    misses: int = 0
    entries: int = 0

    @classmethod
    @lru_cache(None)
    def of(cls, name: str) -> "CacheCounts":
        """Return the counts for this name, the same on every call."""
        counts = cls()
        _caches[name] = lambda: (counts.hits, counts.misses, None, counts.entries)
        return counts


class _Caches(Collector):
    def collect(self) -> Iterator[Metric]:
        """Yield hits, misses and size of each cache."""
        hits = CounterMetricFamily(
            "hybrid_cache_hits", "Results found in a cache", labels=["cache"]
        )
        misses = CounterMetricFamily("hybrid_cache_misses", "Results computed", labels=["cache"])
        entries = GaugeMetricFamily("hybrid_cache_entries", "Results in a cache", labels=["cache"])
        for name, info in _caches.items():
            found, computed, _, size = info()
            hits.add_metric([name], found)
            misses.add_metric([name], computed)
            entries.add_metric([name], size)
        yield from (hits, misses, entries)


REGISTRY.register(_Caches())


def registry(*more: Collector) -> CollectorRegistry:
    """Return a registry of the metrics of all processes, and of those that `more` collect."""
    every = CollectorRegistry()
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        MultiProcessCollector(every)  # type: ignore[no-untyped-call]
    else:
        every.register(REGISTRY)
    for collector in more:
        every.register(collector)
    return every
