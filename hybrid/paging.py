"""Pages: which films of a window a page shows, and where the next page begins."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hybrid.cursor import Window
from hybrid.fusion.fused_ranking import FusedRanking
from hybrid.ranking import Ids, Ranking
from hybrid.retrieval.candidates import Candidates
from hybrid.storage.catalogue import Catalogue


@dataclass(frozen=True)
class Page:
    """The films of a page, by id; `left_out` is the number of films that are not shown because they
    are gone or no longer match; `rest` is where the next page begins, None at the end."""

    ids: Sequence[int]
    left_out: int
    rest: Window | None

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the films that are not shown are owed."""
        if not self.left_out:
            return ()
        films = "1 film" if self.left_out == 1 else f"{self.left_out} films"
        return (f"{films} of this page changed or were removed since the first page: left out",)


def first_page(ranking: Ranking, limit: int) -> Page:
    """Return the first page of a ranking."""
    ids = ranking.ids.tolist()
    return Page(ids[:limit], 0, Window(tuple(ids), limit) if limit < len(ids) else None)


def page_of(window: Window, candidates: Candidates, catalogue: Catalogue, limit: int) -> Page:
    """Return the page at the place of a window, as far as its films still match the query."""
    query, conditions = candidates.query, candidates.parsed.conditions
    shown: list[int] = []
    place = window.place
    while place < len(window.ids) and len(shown) < limit:
        some = window.ids[place : place + limit - len(shown)]
        found = catalogue.films(some)
        for film in some:
            movie = found[film].movie if film in found else None
            if (
                movie
                and query.filters.matches(movie)
                and (not conditions or conditions.matches(movie))
            ):
                shown.append(film)
        place += len(some)
    left_out = place - window.place - len(shown)
    rest = Window(window.ids, place) if place < len(window.ids) else None
    return Page(shown, left_out, rest)


def window_films(window: Window | None, catalogue: Catalogue) -> Ids:
    """Return the films of a window that the catalogue has, int64 (n,)."""
    if window is None:
        return np.empty(0, np.int64)
    ids = np.array(window.ids, np.int64)
    return ids[catalogue.columns.rows_of(ids) >= 0]


def window_ranking(window: Window, fused: FusedRanking) -> Ranking:
    """Return the films of a window with their scores, NaN for a film that is gone.

    They are in the order of the window, whatever their scores are now.
    """
    ids = np.array(window.ids, np.int64)
    scores = np.full(len(ids), np.nan)
    known = np.isin(ids, fused.candidates.ids)
    scores[known] = fused.scores[fused.candidates.rows_of(ids[known])]
    return Ranking(ids, scores)
