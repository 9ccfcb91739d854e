"""A circuit breaker: an engine that keeps failing is left alone until a probe succeeds."""

import logging
from collections.abc import Callable
from threading import Event, Lock, Thread
from typing import Literal

FAILURES = 5
"""Failures in a row after which the breaker opens."""

PAUSE = 1.0
"""Seconds between two probes."""

State = Literal["closed", "open", "half-open"]

log = logging.getLogger(__name__)


class Breaker:
    """Counts the failures of an engine. Safe to share between threads.

    While `state` is "closed" the engine is asked. After FAILURES in a row it is "open", and `probe`
    runs every `pause` seconds in a thread of its own, during which it is "half-open"; the first
    probe that raises nothing closes it. `problem` is the last failure, None while it is closed.
    """

    def __init__(self, probe: Callable[[], object], pause: float = PAUSE) -> None:
        self.state: State = "closed"
        self.problem: str | None = None
        self._probe = probe
        self._pause = pause
        self._failures = 0
        self._lock = Lock()
        self._stop = Event()

    def succeeded(self) -> None:
        """Note an answer."""
        with self._lock:
            self._failures = 0

    def failed(self, problem: str) -> None:
        """Note a request without an answer; open after FAILURES of them in a row."""
        with self._lock:
            self._failures += 1
            if self._failures < FAILURES or self.state != "closed" or self._stop.is_set():
                return
            self.state, self.problem = "open", problem
        log.warning("breaker open, %d requests failed in a row: %s", FAILURES, problem)
        Thread(target=self._probe_until_closed, name="breaker-probe", daemon=True).start()

    def close(self) -> None:
        """Stop probing, for good."""
        self._stop.set()

    def _probe_until_closed(self) -> None:
        while not self._stop.wait(self._pause):
            self.state = "half-open"
            try:
                self._probe()
            except Exception as error:  # noqa: BLE001, whatever it is, the engine does not work
                self.problem = str(error)
                self.state = "open"
                continue
            with self._lock:
                self._failures = 0
                self.state, self.problem = "closed", None
            log.warning("breaker closed, a probe was answered")
            return
