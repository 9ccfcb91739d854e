"""The common names of genres, and which of them are words of other meanings."""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple

from hybrid.query import Filters
from hybrid.query_language.word_forms import word_forms
from hybrid.understanding.words import Words

_SAME = """
    science fiction, sci-fi, scifi, sf
    film-noir, film noir, noir, neo-noir
    animation, animated, cartoon
    biography, biographical, biopic
    documentary, documentaries
    history, historical
    sport, sports
    romance, romantic
    mystery, whodunit, whodunnit
    martial arts, kung fu
    musical
    superhero
"""
"""Names of one genre in each line. A catalogue may have any of them, or several."""

_BOTH = """
    romance, comedy: romantic comedy, rom-com, romcom
    drama, comedy: dramedy, comedy-drama, tragicomedy
"""
"""Names of two genres at once."""

_SURE = frozenset(
    """science fiction|sci-fi|scifi|film-noir|film noir|noir|neo-noir|animation|animated|cartoon
    |biopic|documentary|documentaries|comedy|horror|western|thriller|musical|slasher|superhero
    |martial arts|kung fu|whodunit|whodunnit""".replace("\n", "")
    .replace("    ", "")
    .split("|")
)
"""Names that mean a genre wherever they stand."""

_BESIDE_FILMS = frozenset("family history music short dance performance independent".split())
"""Names that describe too much else to mean a genre beside another one, as in "family drama"."""


class GenreName(NamedTuple):
    """A name of a genre: what films of it pass, and where it means a genre.

    `is_sure`: wherever it stands; `pairs`: beside another genre. Otherwise beside "films", a year
    or a person.
    """

    conditions: tuple[Filters, ...]
    is_sure: bool
    pairs: bool


GenreNames = Mapping[tuple[str, ...], GenreName]
"""By the plain words of each name."""


@lru_cache(maxsize=8)
def genre_names(known: tuple[str, ...]) -> GenreNames:
    """Return the names of the genres that a catalogue has, given by their keys."""
    groups = [[name.strip() for name in line.split(",")] for line in _SAME.strip().splitlines()]
    names: dict[tuple[str, ...], GenreName] = {}
    for key in known:
        names[_words(key)] = _named(key, (Filters(genres=(key,)),))
    for group in groups:
        keys = tuple(name for name in group if name in known)
        if keys:
            for name in group:
                names[_words(name)] = _named(name, (Filters(genres=keys),))
    for line in _BOTH.strip().splitlines():
        genres, _, others = line.partition(":")
        both = [names.get(_words(genre)) for genre in genres.split(",")]
        if all(both):
            conditions = tuple(one for genre in both if genre for one in genre.conditions)
            for name in others.split(","):
                names[_words(name)] = GenreName(conditions, is_sure=True, pairs=True)
    return dict(_with_plurals(names)) | names


def _named(name: str, conditions: tuple[Filters, ...]) -> GenreName:
    return GenreName(conditions, name in _SURE, name not in _BESIDE_FILMS)


def _with_plurals(names: GenreNames) -> Iterator[tuple[tuple[str, ...], GenreName]]:
    for words, genre in names.items():
        if words:
            for form in word_forms(words[-1]):
                yield (*words[:-1], form), genre


def _words(name: str) -> tuple[str, ...]:
    words = Words.of(name)
    return words.plain(0, len(words))
