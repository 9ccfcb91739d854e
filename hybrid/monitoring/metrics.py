"""The metrics of this process, in the registry of prometheus_client, which /metrics writes out.

Those of several processes add up. With the variable PROMETHEUS_MULTIPROC_DIR, prometheus_client
keeps them in files of that folder, and `registry` returns their sums.
"""

import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from threading import Lock

from prometheus_client import (
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from hybrid.monitoring.caches import CACHES

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

CACHE_HITS = Counter("hybrid_cache_hits", "Results found in a cache", ("cache",))
CACHE_MISSES = Counter("hybrid_cache_misses", "Results computed", ("cache",))
CACHE_ENTRIES = Gauge(
    "hybrid_cache_entries", "Results in a cache", ("cache",), multiprocess_mode="livesum"
)


class CacheMetrics:
    """Adds to the metrics what the caches of this process counted themselves, now and then.

    They are asked so often that a counter in each call would cost more than some of the calls.
    """

    def __init__(self) -> None:
        self._counted: dict[str, tuple[int, int]] = {}
        self._lock = Lock()

    def update(self) -> None:
        """Add what was found and computed since the last time."""
        with self._lock:
            for name, info in CACHES.items():
                hits, misses, _, size = info()
                old_hits, old_misses = self._counted.get(name, (0, 0))
                # A cache that was cleared counts from 0 again.
                CACHE_HITS.labels(name).inc(hits - old_hits if hits >= old_hits else hits)
                CACHE_MISSES.labels(name).inc(
                    misses - old_misses if misses >= old_misses else misses
                )
                CACHE_ENTRIES.labels(name).set(size)
                self._counted[name] = hits, misses


CACHE_METRICS = CacheMetrics()


class _Processes(Collector):
    """Memory, processor time and files of each process that has metrics in a folder, by its id."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics of prometheus_client's own collector for each process."""
        families: dict[str, Metric] = {}
        for file in sorted(self._folder.glob("gauge_livesum_*.db")):
            pid = file.stem.rpartition("_")[2]
            for family in ProcessCollector(pid=partial(str, pid), registry=None).collect():
                whole = families.setdefault(family.name, family)
                samples = [sample._replace(labels={"pid": pid}) for sample in family.samples]
                whole.samples = [*(whole.samples if whole is not family else ()), *samples]
        yield from families.values()


def registry(*more: Collector) -> CollectorRegistry:
    """Return a registry of the metrics of all processes, and of those that `more` collect."""
    every = CollectorRegistry()
    folder = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
    if folder:
        MultiProcessCollector(every)  # type: ignore[no-untyped-call]
        every.register(_Processes(Path(folder)))
    else:
        every.register(REGISTRY)
    for collector in more:
        every.register(collector)
    return every
