"""How a run with several workers divides the tests: in units that one worker runs as a whole."""

import re

import pytest
from xdist.scheduler import LoadScopeScheduling

FIRST = re.compile(r"elasticsearch-index|test_pages_in_browser|embedded-index|/faults/|test_docs")
"""Units that take longest: others fill what is left to a worker when they are done."""


def unit(nodeid: str) -> str:
    """Return the unit of a test: the index that it shares, itself if it injects faults, which takes
    long and shares little, else its file."""
    index = re.search(r"\w+-index\b", nodeid)
    file, _, _ = nodeid.partition("::")
    return index[0] if index else nodeid if "/faults/" in file else file


def long_ones_first(items: list[pytest.Item]) -> None:
    """Put the tests of the units that take longest at the beginning."""
    items.sort(key=lambda item: not FIRST.search(unit(item.nodeid)))


class UnitScheduling(LoadScopeScheduling):  # type: ignore[misc]
    """Gives a worker that is free the next unit, in the order of the tests.

    It divides the tests as `--dist loadgroup` would, which does not with pytest 9.2.
    """

    def __init__(self, config: pytest.Config, log: object) -> None:
        config.option.loadscopereorder = False
        super().__init__(config, log)

    def _split_scope(self, nodeid: str) -> str:
        return unit(nodeid)
