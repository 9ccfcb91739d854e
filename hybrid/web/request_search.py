"""The search that a request is lent: all that it asks, it asks of one generation."""

from flask import current_app, g

from hybrid.search import HybridSearch
from hybrid.serving.live_search import Live


def live() -> Live:
    """Return what is lent from."""
    found: Live = current_app.extensions["live"]
    return found


def lent_search() -> HybridSearch:
    """Return the search of this request, the same to its end."""
    if "search" not in g:
        g.search = live().lend()
    search: HybridSearch = g.search
    return search


def give_back(_: BaseException | None) -> None:
    """Give back what the request was lent, as it has ended."""
    if "search" in g:
        live().give_back(g.pop("search"))
