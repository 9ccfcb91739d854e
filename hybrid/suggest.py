"""Suggestions: titles, people and genres that a query may become while it is typed."""

from collections.abc import Sequence
from functools import partial

import numpy as np

from hybrid.engines.deadline import Deadline
from hybrid.errors import EngineUnavailable
from hybrid.monitoring.stopwatch import Stopwatch
from hybrid.movie import people
from hybrid.query import Filters, SuggestQuery
from hybrid.retrieval.suggestion_index import KINDS, MISTYPED, Match
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
    index = search.suggestion_index
    watch = Stopwatch()
    with watch.stage("total"):
        matches = index.matches(query.text, query.limit) or _similar_titles(search, query)
        suggestions = _suggestions(search, _mixed(search, matches, query.limit))
    return SuggestResponse(
        query=query,
        suggestions=suggestions,
        timings_ms=watch.milliseconds(),
        generation=search.generation,
        degraded=(),
    )


def _similar_titles(search: HybridSearch, query: SuggestQuery) -> list[Match]:
    """Return the entries of the titles that are most similar to the text."""
    found = search.retriever.similar_titles(query.text)
    near = found.shares >= MIN_SIMILARITY
    rows, shares = found.rows[near], found.shares[near]
    best = np.lexsort((rows, -shares))[: query.limit]
    films = search.suggestion_index.films  # ascending, as titles are by film
    entries = films.searchsorted(rows[best]).tolist()
    return [Match(e, MISTYPED, s) for e, s in zip(entries, shares[best].tolist(), strict=True)]


def _mixed(search: HybridSearch, matches: Sequence[Match], limit: int) -> Sequence[Match]:
    """Return the best `limit` matches: the nearest, and of these the best of each kind in turn."""
    kind_of = search.suggestion_index.kind
    places = dict.fromkeys(((kind, near) for kind in KINDS for near in range(MISTYPED + 1)), 0)
    order = []
    for number, match in enumerate(matches):
        group = kind_of(match.entry), match.nearness
        order.append((match.nearness, places[group], KINDS.index(group[0]), number))
        places[group] += 1
    return [matches[number] for *_, number in sorted(order)[:limit]]


def _suggestions(search: HybridSearch, matches: Sequence[Match]) -> tuple[Suggestion, ...]:
    """Return the matches as they are shown; a film of several titles once."""
    index, columns = search.suggestion_index, search.catalogue.columns
    ids = {
        match.entry: int(columns.ids[index.films[match.entry]])
        for match in matches
        if index.kind(match.entry) == "title"
    }
    films = search.catalogue.films(ids.values())
    shown: dict[object, Suggestion] = {}
    for entry, _, known in matches:
        kind, film = index.kind(entry), ids.get(entry)
        if film is not None:
            movie = films[film].movie
            one = Suggestion(kind=kind, text=movie.title, id=film, year=movie.year, films=None)
        else:
            name = _spelled(search, entry)
            one = Suggestion(kind=kind, text=name, id=None, year=None, films=int(known))
        shown.setdefault((kind, film, one.text), one)
    return tuple(shown.values())


def _spelled(search: HybridSearch, entry: int) -> str:
    """Return a genre or a person as films spell it."""
    index = search.suggestion_index
    if index.kind(entry) == "genre":
        return index.genres[entry - index.firsts[2]]
    name = index.text(entry)
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
