"""Caches of results of functions, which the metrics count.

Imports nothing of the metrics: text is analysed where nothing is measured, too.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from functools import _lru_cache_wrapper

Result = TypeVar("Result")

CacheInfo = Callable[[], tuple[int, int, int | None, int]]
"""Returns hits, misses, maximum and present size of a cache."""

CACHES: dict[str, CacheInfo] = {}
"""The caches of this process by name."""


def cached(
    name: str, maxsize: int
) -> "Callable[[Callable[[str], Result]], _lru_cache_wrapper[Result]]":
    """Return a decorator like `lru_cache(maxsize)` whose hits and misses are metrics."""

    def decorate(function: Callable[[str], Result]) -> "_lru_cache_wrapper[Result]":
        cache = lru_cache(maxsize)(function)
        CACHES[name] = cache.cache_info
        return cache

    return decorate


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
        CACHES[name] = lambda: (counts.hits, counts.misses, None, counts.entries)
        return counts
