"""Ids for the films of a source without ids: those that they have in the catalogue."""

from array import array
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from hybrid.errors import BuildFailed
from hybrid.movie import MAX_ID, Movie
from hybrid.ranking import Ids
from hybrid.storage.rows import Rows

Hashes = NDArray[np.uint64]


class MatchKey(NamedTuple):
    """By what a film is recognised: the page at its source, or else title and year."""

    id: int
    page: str | None
    title: str
    year: int | None

    @classmethod
    def of(cls, movie: Movie) -> Self:
        """Return the key of a film."""
        return cls(movie.id, movie.href, movie.title, movie.year)


@dataclass(frozen=True)
class MatchKeys:
    """The keys of n films: `ids` int64 (n,), and 64 bits of a hash of each film's page, 0 without
    one, and of its title and year, uint64 (n,) each."""

    ids: Ids
    pages: Hashes
    titles: Hashes

    @classmethod
    def of(cls, keys: Iterable[MatchKey]) -> Self:
        """Return the keys of films in their order; a film takes 24 bytes."""
        ids, pages, titles = array("q"), array("Q"), array("Q")
        for key in keys:
            page, title = hashes(key.page, key.title, key.year)
            ids.append(key.id)
            pages.append(page)
            titles.append(title)
        return cls(np.array(ids, np.int64), np.array(pages, np.uint64), np.array(titles, np.uint64))


def match_ids(films: MatchKeys, known: MatchKeys, highest: int) -> Ids:
    """Return the ids of `films`, int64 (n,) in their order: those of the catalogue's films.

    A film is the one with the same page, else the one with the same title and year; of several
    matches the first in `known` is taken. Others get ids above `highest`, the highest ever used.
    Raises BuildFailed if there are none left.
    """
    ids = np.full(len(films.ids), -1, np.int64)
    left = np.ones(len(known.ids), np.bool_)
    for here, there in ((films.pages, known.pages), (films.titles, known.titles)):
        open_films = np.flatnonzero((ids < 0) & (here != 0))
        open_known = np.flatnonzero(left & (there != 0))
        found, matches = _pairs(here[open_films], there[open_known])
        ids[open_films[found]] = known.ids[open_known[matches]]
        left[open_known[matches]] = False
    new = np.flatnonzero(ids < 0)
    if highest + len(new) > MAX_ID:
        raise BuildFailed(
            f"no ids are left above {highest}, the highest that a film had: build the index again"
        )
    ids[new] = highest + np.arange(1, len(new) + 1)
    return ids


def _pairs(first: Hashes, second: Hashes) -> tuple[Rows, Rows]:
    """Return rows of both that belong together: of equal hashes the first with the first, the
    second with the second, and so on."""
    in_first, in_second = np.argsort(first, kind="stable"), np.argsort(second, kind="stable")
    first, second = first[in_first], second[in_second]
    number = np.arange(len(first)) - first.searchsorted(first)
    match = second.searchsorted(first) + number
    is_found = match < second.searchsorted(first, side="right")
    return in_first[is_found], in_second[match[is_found]]


def hashes(page: object, title: object, year: object) -> tuple[int, int]:
    """Return 64 bits of a hash of a film's page, 0 without one, and of its title and year."""
    return _hash(str(page)) if page else 0, _hash(f"{year}\0{title}")


def _hash(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest())
