"""Requests that are refused before the application sees them: counted, and logged in moderation."""

import logging
from collections import Counter
from collections.abc import Callable
from time import monotonic

from hybrid.monitoring import metrics

INTERVAL = 1.0
"""Seconds between lines for the same error: an overload must neither fill the log nor be made worse
by it."""

_log = logging.getLogger(__name__)


class RefusalLog:
    """Counts every refusal, and logs at most one line each INTERVAL for each code."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._logged_at: dict[str, float] = {}
        self._unlogged: Counter[str] = Counter()

    def note(self, status: int, code: str) -> None:
        """Note a refusal. The next line says how many there were since the last one."""
        metrics.REFUSED.labels(code).inc()
        self._unlogged[code] += 1
        now = self._clock()
        if now - self._logged_at.get(code, -INTERVAL) >= INTERVAL:
            self._logged_at[code] = now
            count = self._unlogged.pop(code)
            _log.warning("refused", extra={"status": status, "code": code, "count": count})


REFUSALS = RefusalLog()
"""Of this process, used by its event loop alone."""
