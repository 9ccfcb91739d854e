"""Cache: which values it keeps, and what it counts."""

from hybrid.cache import Cache
from hybrid.monitoring.caches import CacheCounts


def test_the_value_unused_for_longest_is_dropped() -> None:
    """Reading a value is a use of it, and so is replacing it."""
    cache: Cache[str, int] = Cache("test", 2)
    cache.put("a", 1)
    cache.put("b", 2)
    assert cache.get("a") == 1
    cache.put("c", 3)
    assert [cache.get(key) for key in "abc"] == [1, None, 3]
    cache.put("a", 4)
    cache.put("d", 5)
    assert [cache.get(key) for key in "acd"] == [4, None, 5]


def test_hits_and_misses_are_counted_by_name() -> None:
    """Two caches of a name, as of two generations, count together; entries are the last one's."""
    first: Cache[str, int] = Cache("counted", 9)
    first.put("a", 1)
    first.put("b", 1)
    first.get("a")
    second: Cache[str, int] = Cache("counted", 9)
    second.get("a")
    second.put("a", 1)
    counts = CacheCounts.of("counted")
    assert (counts.hits, counts.misses, counts.entries) == (1, 1, 1)
