"""Which requests are computed when more arrive than can be answered in time."""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from math import ceil
from threading import Lock
from time import monotonic
from typing import TypeVar

from hybrid.machine import cores
from hybrid.monitoring.metrics import WAITING
from hybrid.serving.writes import AT_ONCE

Result = TypeVar("Result")

PROBES = ("/health/live", "/health/ready", "/metrics")
"""Paths that monitors request every few seconds. Each has a lane, so that it is answered however
many searches run or wait; only failures are logged."""

SEARCH_THREADS = cores() + 1
"""Searches compute: with more threads than cores they are slower, and so is the event loop."""

COMPARE_THREADS = 2
"""A comparison costs as much as several searches, and must not take all threads from them.

Of searches and comparisons, workers share the threads."""

WRITE_THREADS = 2 * AT_ONCE + 1
"""A change holds its thread until it is published, and as many again may hold one until theirs is
shown; one more thread says that there are too many."""

PROBE_WAIT, WRITE_WAIT, ASSET_WAIT = 5.0, 1.0, 5.0
"""Seconds that a probe, a change and an asset may wait for a thread.

A page has dozens of assets: images, which are drawn in milliseconds, styles, scripts and fonts.
They have a lane, so that none is refused because searches take long."""

ASSETS = ("/tiles/", "/static/")
"""What the paths of assets begin with."""

WEIGHT = 0.1
"""Weight of the latest request in the mean of service times."""


class Overloaded(Exception):
    """A request that would wait, or has waited, too long; `retry_after` is in whole seconds."""

    def __init__(self, wait: float) -> None:
        super().__init__()
        self.retry_after = max(1, ceil(wait))


class Lane:
    """Threads for one kind of request, and a bound on how long a request waits for one.

    A request that is expected to wait more than `max_wait` seconds is refused at once, by Little's
    law: the number of waiting requests times the mean service time, divided by the number of
    threads. The estimate may be wrong, so a request that did wait longer is refused as well when
    its turn comes. Safe to share between threads.
    """

    def __init__(
        self,
        name: str,
        threads: int,
        max_wait: float,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self.name = name
        self.waiting = 0
        self.in_flight = 0
        self.refused = 0
        self.threads = threads
        self.max_wait = max_wait
        self._clock = clock
        self._service_time: float | None = None  # seconds, mean of recent requests
        self._gauge = WAITING.labels(name)
        self._lock = Lock()
        self._pool = ThreadPoolExecutor(threads, name)

    def submit(self, work: Callable[[], Result]) -> "Future[Result]":
        """Return the future result of `work`. Raises Overloaded, as the future may, too.

        A future that is cancelled while it waits is not computed.
        """
        with self._lock:
            idle = self.in_flight + self.waiting < self.threads
            wait = 0.0 if idle else self._expected_wait()
            if wait > self.max_wait:
                self.refused += 1
                raise Overloaded(wait)
            self.waiting += 1
            self._gauge.inc()
        future = self._pool.submit(self._run, work, self._clock())
        future.add_done_callback(self._forget)
        return future

    def close(self) -> None:
        """Wait until no thread works; drop what waits."""
        self._pool.shutdown(cancel_futures=True)

    def _expected_wait(self) -> float:
        """Return how long another request would wait if all threads are busy, in seconds."""
        return (self.waiting + 1) * (self._service_time or 0.0) / self.threads

    def _run(self, work: Callable[[], Result], submitted: float) -> Result:
        start = self._clock()
        with self._lock:
            self.waiting -= 1
            self._gauge.dec()
            if start - submitted > self.max_wait:
                self.refused += 1
                raise Overloaded(self._expected_wait())
            self.in_flight += 1
        try:
            return work()
        finally:
            seconds = self._clock() - start
            with self._lock:
                self.in_flight -= 1
                mean = seconds if self._service_time is None else self._service_time
                self._service_time = mean + WEIGHT * (seconds - mean)

    def _forget(self, future: "Future[Result]") -> None:
        if future.cancelled():
            with self._lock:
                self.waiting -= 1
                self._gauge.dec()


class Lanes:
    """All lanes of one of so many workers. A search or a comparison waits `max_wait` s at most."""

    def __init__(self, max_wait: float, workers: int = 1) -> None:
        self._search = Lane("search", ceil(SEARCH_THREADS / workers), max_wait)
        self._compare = Lane("compare", ceil(COMPARE_THREADS / workers), max_wait)
        self._write = Lane("write", WRITE_THREADS, WRITE_WAIT)
        self._asset = Lane("asset", 1, ASSET_WAIT)
        self._probes: Mapping[str, Lane] = {path: Lane(path, 1, PROBE_WAIT) for path in PROBES}

    def __iter__(self) -> Iterator[Lane]:
        yield from (self._search, self._compare, self._write, self._asset)
        yield from self._probes.values()

    def lane_of(self, method: str, path: str) -> Lane:
        """Return the lane of a request."""
        if path in self._probes:
            return self._probes[path]
        if method in ("PUT", "DELETE"):
            return self._write
        if path == "/compare" or path.startswith("/explain/"):
            return self._compare
        if path.startswith(ASSETS):
            return self._asset
        return self._search

    def close(self) -> None:
        """Wait until no thread works; drop what waits."""
        for lane in self:
            lane.close()
