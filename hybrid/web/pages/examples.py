"""Queries that pages offer: each finds something in the index at hand."""

from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache
from itertools import islice

from hybrid.browse import best_known
from hybrid.engines.deadline import Deadline
from hybrid.errors import EngineUnavailable
from hybrid.query import SearchQuery
from hybrid.search import HybridSearch

PLOTS = (
    "a rich girl falls for a penniless artist",
    "warriors defend a village",
    "a scientist is turned into an insect",
    "a ship sinks on its first voyage",
    "a boy befriends a creature from space",
    "a wrongly accused man on the run",
    "two enemies fall in love",
    "a bank robbery goes wrong",
    "a haunted house drives a family mad",
    "soldiers escape from a prison camp",
)
"""Queries by plot, in words that a film's description need not have."""

OFFERED = 3
"""Number of queries offered at a time."""


def examples_of(search: HybridSearch) -> tuple[str, ...]:
    """Return queries by plot of which the search says that they find something.

    Where too few do, titles of the catalogue. None while the engines do not answer.
    """
    with suppress(EngineUnavailable):
        return _found(search)
    return ()


@lru_cache(maxsize=1)
def _found(search: HybridSearch) -> tuple[str, ...]:
    plots = list(islice(_confident(search), OFFERED))
    titles = [movie.title for movie in best_known(search, OFFERED)]
    return tuple(dict.fromkeys([*plots, *titles]))[:OFFERED]


def _confident(search: HybridSearch) -> Iterator[str]:
    for text in PLOTS:
        query = SearchQuery(query=text, limit=1)
        answer = search.search(query, Deadline.after(search.seconds))
        if answer.hits and answer.confident is not False:
            yield text
