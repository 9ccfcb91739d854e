"""Films that a source has twice: the same title, a year apart at most, and nearly the same text."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from hybrid.movie import Movie
from hybrid.ranking import Ids, Ranking
from hybrid.storage.catalogue import Catalogue
from hybrid.text.normalise import plain

SAME_TEXT = 0.8
"""The lowest Jaccard index of the words of two descriptions of one film. On Wikipedia it is 1 for
all 110 pairs of one film, and at most .6 for other films of equal title and nearly equal year."""

MAX_YEARS_APART = 1
"""A film is listed in the year it was first shown and again when it came to the cinemas."""

MAX_COMPARED = 16
"""Earlier films of the same title that a film is compared with, so that time stays linear."""

_NOT_LETTERS = re.compile(r"[\W_]+")


@dataclass(frozen=True)
class Duplicates:
    """Films that are the same: `groups` maps each of them to its whole group, ids ascending.

    A film that is there once is in no group.
    """

    groups: Mapping[int, Sequence[int]]

    @classmethod
    def of(cls, catalogue: Catalogue) -> "Duplicates":
        """Return the duplicates of a catalogue, in time linear in the number of films.

        Only the descriptions of films that share title and year are read.
        """
        pairs = list(_same_titles(catalogue))
        wanted = sorted({film for pair in pairs for film in pair})
        words = {movie.id: _words(movie) for movie in catalogue.some_films(wanted)}
        return cls(_groups((a, b) for a, b in pairs if _near(words[a], words[b])))

    def of_film(self, film: int) -> Sequence[int]:
        """Return the ids of the group of a film, itself included, ascending."""
        return self.groups.get(film, (film,))

    def count(self) -> int:
        """Return the number of groups."""
        return len(set(map(tuple, self.groups.values())))

    def once(self, ranking: Ranking, preferred: int | None = None) -> Ranking:
        """Return the ranking with the best film alone of each group.

        The film `preferred` stands for its group if the group is there.
        """
        if not self.groups:
            return ranking
        ids: Ids = ranking.ids.copy()
        seen: set[int] = set()
        kept = np.ones(len(ids), np.bool_)
        for place, film in enumerate(ids.tolist()):
            group = self.groups.get(film)
            if group is None:
                continue
            kept[place] = group[0] not in seen
            seen.add(group[0])
            if kept[place] and preferred is not None and preferred in group:
                ids[place] = preferred
        return Ranking(ids[kept], ranking.scores[kept])


def _same_titles(catalogue: Catalogue) -> Iterator[tuple[int, int]]:
    """Yield pairs of films with the same title whose years differ by one at most.

    A film without a year may be of any.
    """
    by_title: dict[str, list[tuple[int, int]]] = {}
    for film, (year, _, title, _) in catalogue.search_columns().items():
        by_title.setdefault(_title_key(title), []).append((year or 0, film))
    for films in by_title.values():
        films.sort()
        for place, (year, film) in enumerate(films):
            for earlier_year, earlier in films[max(place - MAX_COMPARED, 0) : place]:
                if not earlier_year or year - earlier_year <= MAX_YEARS_APART:
                    yield earlier, film


def _title_key(title: str) -> str:
    """Return the letters and digits of a title, without case and accents."""
    return _NOT_LETTERS.sub("", title.casefold() if title.isascii() else plain(title))


def _words(movie: Movie) -> frozenset[str]:
    return frozenset(plain(movie.description or "").split())


def _near(a: frozenset[str], b: frozenset[str]) -> bool:
    """Whether two texts are nearly the same. Without words there is nothing to tell by."""
    return bool(a) and len(a & b) >= SAME_TEXT * len(a | b)


def _groups(pairs: Iterable[tuple[int, int]]) -> dict[int, Sequence[int]]:
    """Return the connected films, by each of them."""
    groups: dict[int, set[int]] = {}
    for a, b in pairs:
        merged = groups.get(a, {a}) | groups.get(b, {b})
        groups |= dict.fromkeys(merged, merged)
    return {film: tuple(sorted(group)) for film, group in sorted(groups.items())}
