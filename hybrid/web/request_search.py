"""The search that a request is lent: all that it asks, it asks of one generation."""

from flask import current_app, g

from hybrid.search import HybridSearch
from hybrid.serving.live_search import LiveSearch


def live() -> LiveSearch:
    """Return what is lent from."""
    found: LiveSearch = current_app.extensions["live"]
    return found


def request_search() -> HybridSearch:
    """Return the search of this request, the same to its end."""
    if "search" not in g:
        g.search = live().acquire()
    search: HybridSearch = g.search
    return search


def release(_: BaseException | None) -> None:
    """Give back what the request was lent, as it has ended."""
    if "search" in g:
        live().release(g.pop("search"))
