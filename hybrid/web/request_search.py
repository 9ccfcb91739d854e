"""The search that a request uses: one generation from its start to its end."""

from flask import current_app, g

from hybrid.search import HybridSearch
from hybrid.serving.live_search import LiveSearch


def live() -> LiveSearch:
    """Return the search that requests share."""
    shared: LiveSearch = current_app.extensions["live"]
    return shared


def request_search() -> HybridSearch:
    """Return the search of this request, the same on every call."""
    if "search" not in g:
        g.search = live().acquire()
    search: HybridSearch = g.search
    return search


def release(_: BaseException | None) -> None:
    """Release the search at the end of the request."""
    if "search" in g:
        live().release(g.pop("search"))
