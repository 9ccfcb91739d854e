"""Waiting until what was published is served: here, and by the other workers of the service."""

from dataclasses import dataclass
from queue import SimpleQueue
from threading import Thread
from typing import cast

from hybrid.search import HybridSearch
from hybrid.serving.live_search import LiveSearch
from hybrid.serving.workers import Worker, WorkerTable


@dataclass(frozen=True)
class Search:
    """What stands for a search."""

    generation: str

    def close(self) -> None:
        """Nothing is open."""


def searching(number: int) -> HybridSearch:
    """Return a search of the generation of this number."""
    return cast(HybridSearch, Search(f"{number}-x"))


def waiting(live: LiveSearch, generation: str) -> SimpleQueue[bool]:
    """Wait for a generation in a thread, ten minutes at most; return where the answer arrives."""
    answers: SimpleQueue[bool] = SimpleQueue()
    Thread(target=lambda: answers.put(live.wait_for(generation, 600)), daemon=True).start()
    return answers


def test_one_generation_or_a_later_one_is_served() -> None:
    """Both are served at once; one that is yet to come is not there after the time to wait."""
    live = LiveSearch(searching(5))
    assert live.wait_for("4-x", 0)
    assert live.wait_for("5-x", 0)
    assert not live.wait_for("6-x", 0)


def test_who_waits_is_woken() -> None:
    """Once the generation is served, whatever time is left."""
    live = LiveSearch(searching(5))
    answers = waiting(live, "6-x")
    live.swap(searching(6))
    assert answers.get(timeout=30)


def test_other_workers_are_waited_for() -> None:
    """A generation is served once every worker that serves has it; one that left is not needed."""
    table = WorkerTable(3)
    other = Worker(1, table)
    live = LiveSearch(searching(6), Worker(0, table))
    assert live.wait_for("6-x", 0)
    other.serves("5-x")
    assert live.wait_for("5-x", 0)
    assert not live.wait_for("6-x", 0)
    answers = waiting(live, "6-x")
    other.serves("6-x")
    assert answers.get(timeout=30)


def test_other_workers_know_what_is_served() -> None:
    """From the start, and after each replacement."""
    table = WorkerTable(2)
    live, other = LiveSearch(searching(5), Worker(0, table)), Worker(1, table)
    assert other.wait_for_all("5-x", 0)
    assert not other.wait_for_all("6-x", 0)
    live.swap(searching(6))
    assert other.wait_for_all("6-x", 0)
