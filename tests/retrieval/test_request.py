"""What is passed from step to step of a retrieval."""

from collections.abc import Iterator
from threading import Event, Thread

import pytest

from hybrid.retrieval.request import Once


def test_a_result_is_computed_once() -> None:
    """A thread that asks for it while another one computes waits, and gets the same."""
    begun, go, found = Event(), Event(), []

    def compute() -> object:
        assert not begun.is_set()
        begun.set()
        assert go.wait(60)
        return object()

    once = Once(compute)
    threads = [Thread(target=lambda: found.append(once())) for _ in range(2)]
    for thread in threads:
        thread.start()
    assert begun.wait(60)
    go.set()
    for thread in threads:
        thread.join()
    assert found == [once()] * 2


def test_a_failure_is_no_result() -> None:
    """It is raised to whoever asked; the next one computes again."""
    outcomes: Iterator[Exception | str] = iter([ValueError("damaged"), "found"])

    def compute() -> str:
        outcome = next(outcomes)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    once = Once(compute)
    with pytest.raises(ValueError, match="damaged"):
        once()
    assert once() == once() == "found"
