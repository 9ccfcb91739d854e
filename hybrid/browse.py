"""Browsing: without a text to search for, all films that a query allows are listed in an order."""

from collections.abc import Sequence

import numpy as np

from hybrid.bounds import shown
from hybrid.cursor import Place, read_place, write_place
from hybrid.engines.deadline import Deadline
from hybrid.explanation.highlighting import highlight
from hybrid.monitoring.stopwatch import Stopwatch
from hybrid.movie import Movie
from hybrid.query import SearchQuery
from hybrid.query_language.language import field_parts, read
from hybrid.ranking import Ids, Ranking
from hybrid.retrieval.query_parser import ParsedQuery, parse_query
from hybrid.retrieval.understood import understood
from hybrid.schemas.search import Hit, KeywordHit, SearchResponse, SemanticHit, Total
from hybrid.search import HybridSearch
from hybrid.storage.rows import Rows

NOT_SEARCHED = "there is no text to search for"

_NO_KEYWORD = KeywordHit(rank=None, score=None, title=None, share=None)
_NO_SEMANTIC = SemanticHit(rank=None, score=None, sentence=None)


def find(
    search: HybridSearch, query: SearchQuery, deadline: Deadline | None = None
) -> SearchResponse:
    """Return the best films for the text of `query`; without one, a list of all that it allows.

    Raises InvalidInput for a cursor that is damaged or belongs to another query, and
    EngineUnavailable like a search; a list needs the keyword engine if the query has words that
    films must have or must not have.
    """
    reading = read(query.text)
    if reading.has_words:
        return search.search(query, deadline)
    _ = search.duplicates  # found once, and before the time starts
    parsed = parse_query(reading, field_parts(query))
    return _list(search, query, parsed, deadline or Deadline.after(search.seconds))


def best_known(search: HybridSearch, count: int) -> Sequence[Movie]:
    """Return at most `count` films, the best known first, each once."""
    columns = search.catalogue.columns
    everything = np.ones(len(columns.ids), np.bool_)
    rows = search.orders.rows("relevance", "desc", everything)[: 2 * count]
    ranking = Ranking(columns.ids[rows], search.orders.known[rows])
    ids = search.duplicates.once(ranking).top(count).ids.tolist()
    found = search.catalogue.films(ids)
    return [found[film].movie for film in ids]


def _list(
    search: HybridSearch, query: SearchQuery, parsed: ParsedQuery, deadline: Deadline
) -> SearchResponse:
    query = query.resolved(search.preferences.default)
    place, sort, order = read_place(query), query.sort, query.direction
    watch, orders = Stopwatch(), search.orders
    with watch.stage("total"):
        with watch.stage("list"):
            rows = orders.rows(sort, order, search.allowed(query, parsed, deadline))
            first = orders.passed(rows, sort, order, place.key, place.film) if place else 0
            page = rows[first : first + query.limit]
        with watch.stage("hydrate"):
            hits = _hits(search, query, page, first + 1)
        facets = search.facets(query, parsed, watch, deadline)
    following = None
    if first + len(page) < len(rows):
        last = Place(orders.keys(sort).key_of(int(page[-1])), hits[-1].id)
        following = write_place(last, query)
    return SearchResponse(
        query=query,
        understood=understood(parsed),
        hits=hits,
        total=Total(value=len(rows), scope="filters"),
        alpha=None,
        alpha_reason=NOT_SEARCHED,
        confident=None,
        next_cursor=following,
        facets=facets,
        degraded=(),
        warnings=search.unknown_names(query, parsed),
        timings_ms=watch.milliseconds(),
        generation=search.generation,
    )


def _hits(search: HybridSearch, query: SearchQuery, rows: Rows, first_rank: int) -> tuple[Hit, ...]:
    """Return the films in these rows as they are shown; the first has the rank `first_rank`."""
    ids: Ids = search.catalogue.columns.ids[rows]
    films: Sequence[int] = ids.tolist()
    found, twins = search.catalogue.films(films), search.twins(films)
    movies = [shown(found[film].movie, len(films)) for film in films]
    return tuple(
        Hit(
            id=film,
            rank=rank,
            score=known,
            movie=movie,
            keyword=_NO_KEYWORD,
            semantic=_NO_SEMANTIC,
            highlight=highlight(movie, "") if query.highlight else None,
            why=None,
            duplicates=twins[film],
        )
        for rank, (film, movie, known) in enumerate(
            zip(films, movies, search.orders.known[rows].tolist(), strict=True), first_rank
        )
    )
