"""The orders in which films are listed: by year, title, rating, votes, or by how well known."""

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from hybrid.query import Order, Sort
from hybrid.ranking import Ranking, Scores
from hybrid.retrieval.known_films import shares_known
from hybrid.storage.catalogue import Catalogue
from hybrid.storage.filter_columns import NUMBERS
from hybrid.storage.rows import Mask, Rows
from hybrid.text.normalise import plain

MAX_TITLE = 100
"""Characters of a title that are compared; films of equal ones are in the order of ids."""

_ARTICLE = re.compile(r"^(?:an?|the) +(?=\S)", re.MULTILINE)
"""Not compared at the start of a title."""


@dataclass(frozen=True)
class SortKeys:
    """What n films are ordered by: `values` float64 (n,), NaN for a film without one.

    A value of a title is its number among `titles`, which are distinct and ascending.
    """

    values: Scores
    titles: Sequence[str] = ()

    def key_of(self, row: int) -> float | str | None:
        """Return the number or title of a film, None without one."""
        value = float(self.values[row])
        if np.isnan(value):
            return None
        return self.titles[int(value)] if self.titles else value

    def value_of(self, key: float | str) -> float:
        """Return the value that a key has, or would have between two others."""
        if not isinstance(key, str):
            return key
        place = bisect_left(self.titles, key)
        is_title = place < len(self.titles) and self.titles[place] == key
        return place if is_title else place - 0.5


class FilmOrders:
    """The orders of the films of one generation, each made when it is first asked for.

    Films without a value come last in both directions, and films of equal values in the order of
    ids. Safe to share between threads.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._keys: dict[Sort, SortKeys] = {}
        self._rows: dict[tuple[Sort, Order], Rows] = {}

    @cached_property
    def known(self) -> Scores:
        """How well known each film is, float64 (n,), 0 to 1; docs/ranking.md has the formula."""
        return shares_known(self._catalogue)

    def keys(self, sort: Sort) -> SortKeys:
        """Return what `sort` orders by."""
        if sort not in self._keys:
            self._keys[sort] = self._sort_keys(sort)
        return self._keys[sort]

    def rows(self, sort: Sort, order: Order, among: Mask) -> Rows:
        """Return the rows of the films of a mask, bool (n,), in an order, int64."""
        if (sort, order) not in self._rows:
            values = self.keys(sort).values
            by_value = np.argsort(values if order == "asc" else -values, kind="stable")
            self._rows[sort, order] = by_value  # NaN is last, rows are in the order of ids
        rows = self._rows[sort, order]
        return rows[among[rows]]

    def passed(
        self, rows: Rows, sort: Sort, order: Order, key: float | str | None, film: int
    ) -> int:
        """Return how many of `rows`, which are in an order, come before the film or are it.

        The film has this key and id; it may be gone.
        """
        keys, ids = self.keys(sort), self._catalogue.columns.ids[rows]
        values = keys.values[rows]
        if key is None:
            return int(np.count_nonzero(~np.isnan(values) | (ids <= film)))
        value = keys.value_of(key)
        before = values < value if order == "asc" else values > value
        return int(np.count_nonzero(before | ((values == value) & (ids <= film))))

    def sorted(self, ranking: Ranking, sort: Sort, order: Order) -> Ranking:
        """Return the films of a ranking in an order; by relevance that of their scores."""
        if sort == "relevance" and order == "desc":
            return ranking
        if sort == "relevance":
            values = ranking.scores
        else:
            values = self.keys(sort).values[self._catalogue.columns.rows_of(ranking.ids)]
        places = np.lexsort((ranking.ids, values if order == "asc" else -values))
        return Ranking(ranking.ids[places], ranking.scores[places])

    def _sort_keys(self, sort: Sort) -> SortKeys:
        if sort == "title":
            return _title_keys(self._catalogue.main_titles())
        if sort == "relevance":
            return SortKeys(self.known)
        numbers = self._catalogue.columns.numbers[sort]
        return SortKeys(np.where(numbers == NUMBERS[sort][1], np.nan, numbers.astype(np.float64)))


def _title_keys(titles: Sequence[str]) -> SortKeys:
    keys = title_keys(titles)
    distinct = sorted(set(keys))
    numbers = {key: number for number, key in enumerate(distinct)}
    return SortKeys(np.array([numbers[key] for key in keys], np.float64), distinct)


def title_keys(titles: Sequence[str]) -> Sequence[str]:
    """Return what titles are ordered by: without case, accents, punctuation and first article."""
    # Of all titles at once, which takes a tenth of the time; but those of ASCII take less still.
    lines = [" ".join(title.split()) for title in titles]
    of_ascii = iter(plain("\n".join(line for line in lines if line.isascii())).split("\n"))
    folded = "\n".join(next(of_ascii) if line.isascii() else plain(line) for line in lines)
    return [key.strip()[:MAX_TITLE] for key in _ARTICLE.sub("", folded).split("\n")]
