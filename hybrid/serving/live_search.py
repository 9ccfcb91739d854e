"""One search lent to many requests, and exchanged for another while they go on."""

from collections import Counter
from threading import Lock

from hybrid.search import HybridSearch


class LiveSearch:
    """Lends the search over one generation. A request keeps what it was lent to its end.

    `trouble` is why the published generation is not the one that is served, None where it is;
    `fault` is what is wrong with the one that is served, as of `looked_at`, a Unix time;
    `bad_preferences` is what is wrong with ranking.toml, whose last good text is in force, None
    where the file itself is.
    """

    def __init__(self, search: HybridSearch) -> None:
        self.trouble: str | None = None
        self.fault: str | None = None
        self.bad_preferences: str | None = None
        self.looked_at: float | None = None
        self._search = search
        self._lent: Counter[HybridSearch] = Counter()
        self._lock = Lock()

    def acquire(self) -> HybridSearch:
        """Return the search, which stays open until it is given back."""
        with self._lock:
            self._lent[self._search] += 1
            return self._search

    def release(self, search: HybridSearch) -> None:
        """Take a search back, and close it if it was exchanged and nobody else has it."""
        with self._lock:
            self._lent[search] -= 1
            idle = not self._lent[search]
            if idle:
                del self._lent[search]
            outdated = idle and search is not self._search
        if outdated:
            search.close()

    def swap(self, search: HybridSearch) -> None:
        """Lend `search` from now on; the one before is closed once all have given it back."""
        with self._lock:
            before, self._search = self._search, search
            idle = before not in self._lent
        if idle:
            before.close()

    def close(self) -> None:
        """Let go of the search, which nobody has any more."""
        self._search.close()
