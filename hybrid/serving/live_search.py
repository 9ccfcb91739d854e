"""The search that requests share, which can be replaced while they use it."""

from collections import Counter
from threading import Condition
from time import monotonic

from hybrid.search import HybridSearch
from hybrid.serving.workers import Worker
from hybrid.storage.generation import number_of


class LiveSearch:
    """The search over one generation. A request uses the same one from its start to its end.

    `publication_problem` says why the published generation is not the one that is served;
    `store_problem` what is wrong with the one that is served, as of `checked_at`, a Unix time;
    `preferences_problem` what is wrong with ranking.toml, while the last valid preferences stay in
    force. Each is None where nothing is wrong.
    """

    def __init__(self, search: HybridSearch, worker: Worker | None = None) -> None:
        self.publication_problem: str | None = None
        self.store_problem: str | None = None
        self.preferences_problem: str | None = None
        self.checked_at: float | None = None
        self._search = search
        self._worker = worker or Worker()
        self._worker.serves(search.generation)
        self._users: Counter[HybridSearch] = Counter()
        self._lock = Condition()  # notified when the search is replaced

    def acquire(self) -> HybridSearch:
        """Return the search, which stays open until it is released."""
        with self._lock:
            self._users[self._search] += 1
            return self._search

    def release(self, search: HybridSearch) -> None:
        """End one use of `search`; close it if it was replaced and nobody else uses it."""
        with self._lock:
            self._users[search] -= 1
            idle = not self._users[search]
            if idle:
                del self._users[search]
            replaced = idle and search is not self._search
        if replaced:
            search.close()

    def swap(self, search: HybridSearch) -> None:
        """Serve `search` from now on; the previous one is closed once its last user releases it."""
        with self._lock:
            previous, self._search = self._search, search
            self._lock.notify_all()
            self._worker.serves(search.generation)
            idle = previous not in self._users
        if idle:
            previous.close()

    def wait_for(self, generation: str, seconds: float) -> bool:
        """Wait until this generation is served, or a later one; return whether it is by then.

        All workers of the service must serve it: nobody knows which one answers the next request.
        """
        until = monotonic() + seconds
        with self._lock:
            here = self._lock.wait_for(
                lambda: number_of(self._search.generation) >= number_of(generation), seconds
            )
        return here and self._worker.wait_for_all(generation, until - monotonic())

    def close(self) -> None:
        """Close the search. Nobody may use it any more."""
        self._search.close()
