"""The search that a request uses: one generation from its start to its end, and its deadline."""

from time import monotonic

from flask import current_app, g, request

from hybrid.engines.deadline import Deadline
from hybrid.search import HybridSearch
from hybrid.serving.live_search import LiveSearch

ARRIVED = "hybrid.arrived"
"""The key of the WSGI environ under which the server notes when it had received the request, in
seconds of the monotonic clock."""


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


def request_deadline() -> Deadline:
    """Return the deadline of this request. Its time includes the wait for a thread."""
    arrived = request.environ.get(ARRIVED, monotonic())
    return Deadline(arrived + request_search().seconds)


def release(_: BaseException | None) -> None:
    """Release the search at the end of the request."""
    if "search" in g:
        live().release(g.pop("search"))
