"""Suggestions: titles, people and genres that a query may become while it is typed."""

from collections.abc import Sequence
from functools import partial

import numpy as np

from hybrid.engines.deadline import Deadline
from hybrid.errors import EngineUnavailable
from hybrid.monitoring.stopwatch import Stopwatch
from hybrid.movie import people
from hybrid.query import Filters, SuggestQuery
from hybrid.retrieval.suggestion_index import KINDS, MISTYPED
from hybrid.retrieval.suggestions import Suggested
from hybrid.schemas.suggest import Suggestion, SuggestResponse
from hybrid.search import HybridSearch
from hybrid.text.person_names import name_words

FILMS_OF_PERSON = 20
"""Films in which the spelling of a name is looked for."""

SPELLING_SECONDS = 0.1
"""How long the keyword engine may take to find them."""

MIN_SIMILARITY = 0.5
"""Of a title to what is typed, where nothing begins like it. Less is chance."""


def suggest(search: HybridSearch, query: SuggestQuery) -> SuggestResponse:
    """Return the titles, people and genres that begin like what is typed, best first.

    What is nearest comes first, then what is best known. Typed text that nothing begins with
    suggests similar titles.
    """
    watch = Stopwatch()
    with watch.stage("total"):
        matches = search.suggestions.matches(query.text, query.limit)
        best = _mixed(matches or _similar_titles(search, query), query.limit)
        suggestions = _shown(search, best)
    return SuggestResponse(
        query=query,
        suggestions=suggestions,
        timings_ms=watch.milliseconds(),
        generation=search.generation,
        degraded=(),
    )


def _similar_titles(search: HybridSearch, query: SuggestQuery) -> list[Suggested]:
    """Return the titles that are most similar to the text."""
    found = search.retriever.similar_titles(query.text)
    near = found.shares >= MIN_SIMILARITY
    rows, shares = found.rows[near], found.shares[near]
    best = np.lexsort((rows, -shares))[: query.limit]
    pairs = zip(rows[best].tolist(), shares[best].tolist(), strict=True)
    return [Suggested("title", "", MISTYPED, share, row) for row, share in pairs]


def _mixed(matches: Sequence[Suggested], limit: int) -> Sequence[Suggested]:
    """Return the best `limit` matches: the nearest, and of these the best of each kind in turn."""
    places = dict.fromkeys(((kind, near) for kind in KINDS for near in range(MISTYPED + 1)), 0)
    order = []
    for number, match in enumerate(matches):
        group = match.kind, match.nearness
        order.append((match.nearness, places[group], KINDS.index(match.kind), number))
        places[group] += 1
    return [matches[number] for *_, number in sorted(order)[:limit]]


def _shown(search: HybridSearch, matches: Sequence[Suggested]) -> tuple[Suggestion, ...]:
    """Return the matches as they are shown; a film of several titles once."""
    ids = search.catalogue.columns.ids
    wanted = [int(ids[match.row]) for match in matches if match.kind == "title"]
    films = search.catalogue.films(wanted)
    shown: dict[object, Suggestion] = {}
    for match in matches:
        kind, film = match.kind, None
        if kind == "title":
            film = int(ids[match.row])
            movie = films[film].movie
            one = Suggestion(kind=kind, text=movie.title, id=film, year=movie.year, films=None)
        else:
            name = _spelled(search, match)
            one = Suggestion(kind=kind, text=name, id=None, year=None, films=int(match.known))
        shown.setdefault((kind, film, one.text), one)
    return tuple(shown.values())


def _spelled(search: HybridSearch, match: Suggested) -> str:
    """Return a genre or a person as films spell it."""
    name = match.text
    if match.kind == "genre":
        return search.suggestions.genres[name]
    spelled = search.spellings.get(name)
    if spelled is None:
        try:
            spelled = _person(search, name)
        except EngineUnavailable:
            return name.title()
        search.spellings.put(name, spelled)
    return spelled


def _person(search: HybridSearch, name: str) -> str:
    """Return the name as it is spelled in a film that the keyword engine finds by it."""
    retriever = search.retriever
    find = partial(search.engines.lexical.search, name, Filters(), FILMS_OF_PERSON)
    found = retriever.keyword.ask(find, Deadline.after(SPELLING_SECONDS)).result()
    for film in search.catalogue.films(found.ids.tolist()).values():
        for person in sorted(people(film.movie)):
            if " ".join(word for word, _ in name_words(person)) == name:
                return person
    return name.title()
