"""Films that a source has twice: the same title, a year apart at most, and nearly the same text."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from itertools import compress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hybrid.movie import Movie
from hybrid.ranking import Ids, Ranking
from hybrid.storage.arrays import read_arrays, write_arrays
from hybrid.storage.catalogue import Catalogue
from hybrid.storage.catalogue_schema import SearchColumns
from hybrid.storage.generation import DUPLICATES
from hybrid.storage.mapped import mapped
from hybrid.storage.rows import Rows, rows_of_ranges
from hybrid.text.normalise import plain

SAME_TEXT = 0.8
"""The lowest Jaccard index of the words of two descriptions of one film. On Wikipedia it is 1 for
all 110 pairs of one film, and at most .6 for other films of equal title and nearly equal year."""

MAX_YEARS_APART = 1
"""A film is listed in the year it was first shown and again when it came to the cinemas."""

MAX_COMPARED = 16
"""Earlier films of the same title that a film is compared with, so that time stays linear."""

KEPT_TITLES = 4096
"""Titles whose keys are kept: the next generation has those of this delta, too."""

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
        return cls(_found(catalogue, catalogue.search_columns()))

    @classmethod
    def read(cls, catalogue: Catalogue) -> "Duplicates":
        """Return the duplicates of a generation: those of its base, and what the delta changes.

        Films are compared again only where one of the same title came, changed or went.
        """
        base, rows = BaseDuplicates.read(catalogue.folder / DUPLICATES), catalogue.rows
        if rows.is_base:
            return cls(base.groups)
        delta = catalogue.some_search_columns(catalogue.delta.ids.tolist())
        new = np.array([_title_hash(title) for _, _, title, _ in delta.values()], np.int64)
        affected = np.unique(np.concatenate([new, base.hashes[rows.outdated]]))
        same = base.rows_of(affected)
        others = catalogue.base.ids[same[rows.counts(same)]].tolist()
        found = _found(catalogue, delta | catalogue.some_search_columns(others))
        base_rows = catalogue.base.ids.searchsorted(np.array(list(base.groups), np.int64))
        holds = (~np.isin(base.hashes[base_rows], affected)).tolist()
        kept = dict(compress(base.groups.items(), holds))
        return cls(dict(sorted({**kept, **found}.items())))

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
        films = ranking.ids.tolist()
        if self.groups.keys().isdisjoint(films):  # as in most lists
            return ranking
        groups = [
            (place, group) for place, film in enumerate(films) if (group := self.groups.get(film))
        ]
        ids: Ids = ranking.ids.copy()
        seen: set[int] = set()
        kept = np.ones(len(ids), np.bool_)
        for place, group in groups:
            kept[place] = group[0] not in seen
            seen.add(group[0])
            if kept[place] and preferred is not None and preferred in group:
                ids[place] = preferred
        return Ranking(ids[kept], ranking.scores[kept])


@dataclass(frozen=True)
class BaseDuplicates:
    """The duplicates of n films of a base, and what finds films of the same title.

    `hashes` int64 (n,) are those of the titles of films in the order of ids, `ordered` int64 (n,)
    the same ascending, which are those of the films in `rows`, int32 (n,). `groups` as in
    `Duplicates`.
    """

    hashes: NDArray[np.int64]
    ordered: NDArray[np.int64]
    rows: NDArray[np.int32]
    groups: Mapping[int, Sequence[int]]

    @classmethod
    def read(cls, file: Path) -> "BaseDuplicates":
        """Return what a file holds, mapped into memory."""

        def read(path: Path) -> "BaseDuplicates":
            hashes, ordered, rows, pairs = read_arrays(path)
            return cls(hashes, ordered, rows, _groups(map(tuple, pairs.tolist())))

        return mapped(file, read)

    def rows_of(self, hashes: NDArray[np.int64]) -> Rows:
        """Return the rows of the films whose titles have these hashes, int64 (m,)."""
        firsts = self.ordered.searchsorted(hashes)
        counts = self.ordered.searchsorted(hashes, side="right") - firsts
        rows: Rows = self.rows[rows_of_ranges(firsts, counts)].astype(np.int64)
        return rows


def write_duplicates(catalogue: Catalogue) -> None:
    """Write the duplicates of the films of a new base. Raises OSError."""
    columns = catalogue.search_columns()
    titles = [columns[film][2] for film in catalogue.columns.ids.tolist()]
    hashes = np.array([_title_hash(title) for title in titles], np.int64)
    rows = np.argsort(hashes, kind="stable")
    groups = _found(catalogue, columns)
    pairs = np.array([(film, group[0]) for film, group in groups.items()], np.int64).reshape(-1, 2)
    arrays = hashes, hashes[rows], rows.astype(np.int32), pairs
    write_arrays(catalogue.folder / DUPLICATES, arrays)


def _found(catalogue: Catalogue, films: Mapping[int, SearchColumns]) -> Mapping[int, Sequence[int]]:
    """Return the groups of the duplicates among films of a catalogue."""
    pairs = list(_same_titles(films))
    wanted = sorted({film for pair in pairs for film in pair})
    words = {movie.id: _words(movie) for movie in catalogue.some_films(wanted)}
    return _groups((a, b) for a, b in pairs if _near(words[a], words[b]))


@lru_cache(KEPT_TITLES)
def _title_hash(title: str) -> int:
    """Return 64 bits, equal for titles that are the same."""
    digest = blake2b(_title_key(title).encode(), digest_size=8).digest()
    return int.from_bytes(digest, signed=True)


def _same_titles(films: Mapping[int, SearchColumns]) -> Iterator[tuple[int, int]]:
    """Yield pairs of films with the same title whose years differ by one at most.

    A film without a year may be of any.
    """
    by_title: dict[str, list[tuple[int, int]]] = {}
    for film, (year, _, title, _) in films.items():
        by_title.setdefault(_title_key(title), []).append((year or 0, film))
    for same in by_title.values():
        same.sort()
        for place, (year, film) in enumerate(same):
            for earlier_year, earlier in same[max(place - MAX_COMPARED, 0) : place]:
                if not earlier_year or year - earlier_year <= MAX_YEARS_APART:
                    yield earlier, film


@lru_cache(KEPT_TITLES)
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
