"""Waiting for what happens by itself."""

from collections.abc import Callable
from time import monotonic, sleep


def eventually(holds: Callable[[], bool], seconds: float = 60) -> None:
    """Wait until a thing is so, at most so long."""
    until = monotonic() + seconds
    while not holds():
        assert monotonic() < until, f"not so within {seconds} s"
        sleep(0.02)
