"""Readers that ask without a pause while something else happens."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from threading import Event, Thread

from hybrid.query import SearchQuery
from hybrid.schemas.search import SearchResponse
from hybrid.search import HybridSearch
from hybrid.serving.live_search import LiveSearch

QUERY = SearchQuery(query="captain mirror river winter", limit=100)

Problems = list[object]
"""What readers found: errors that were raised, and whatever else should not have been."""


def nothing(search: HybridSearch, answer: SearchResponse) -> Sequence[object]:
    """Find no fault with any answer."""
    return ()


@contextmanager
def reading(
    live: LiveSearch,
    count: int,
    faults: Callable[[HybridSearch, SearchResponse], Sequence[object]] = nothing,
) -> Iterator[Problems]:
    """Search by so many readers at once, and note every error and every fault of an answer.

    Each has answered at least once when this begins, and once more when it ends.
    """
    problems: Problems = []
    done, answered = Event(), [Event() for _ in range(count)]

    def read(first: Event) -> None:
        last = False
        while not last:
            last = done.is_set()
            search = live.acquire()
            try:
                problems.extend(faults(search, search.search(QUERY)))
            except Exception as error:  # noqa: BLE001, whatever a reader sees is a fault
                problems.append(error)
            finally:
                live.release(search)
            first.set()

    # Daemons, so that one that hangs does not keep the test run from ending.
    readers = [Thread(target=read, args=[first], daemon=True) for first in answered]
    for reader in readers:
        reader.start()
    try:
        for first in answered:
            assert first.wait(60), f"a reader has not answered within 60 s: {problems}"
        yield problems
    finally:
        done.set()
        for reader in readers:
            reader.join(60)
        assert not any(reader.is_alive() for reader in readers), "a reader hangs"
