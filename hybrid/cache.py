"""A bounded cache of the results that were used last."""

from collections import OrderedDict
from collections.abc import Hashable
from threading import Lock
from typing import Generic, TypeVar

from hybrid.monitoring.caches import CacheCounts

K = TypeVar("K", bound=Hashable)

V = TypeVar("V")


class Cache(Generic[K, V]):
    """At most `size` values by key; the one that was not used for longest is dropped.

    Hits and misses of all caches of this name are metrics. Safe to share between threads.
    """

    def __init__(self, name: str, size: int) -> None:
        self._counts = CacheCounts.of(name)
        self._size = size
        self._values: OrderedDict[K, V] = OrderedDict()
        self._lock = Lock()

    def get(self, key: K) -> V | None:
        """Return the value of this key, None if it is not in the cache."""
        with self._lock:
            value = self._values.get(key)
            if value is None:
                self._counts.misses += 1
                return None
            self._values.move_to_end(key)
            self._counts.hits += 1
            return value

    def put(self, key: K, value: V) -> None:
        """Add a value."""
        with self._lock:
            self._values[key] = value
            self._values.move_to_end(key)
            if len(self._values) > self._size:
                self._values.popitem(last=False)
            self._counts.entries = len(self._values)
