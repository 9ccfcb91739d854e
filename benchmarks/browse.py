"""How long films take to list without a text, by sort: a first page, a later one, a first of all.

    python -m benchmarks.browse --data DIR

Each list has random filters by genre and years. The first list of a sort makes its order, which
later ones share.
"""

import random
from collections.abc import Iterator
from contextlib import closing
from time import perf_counter

import click
import numpy as np

from hybrid.browse import find
from hybrid.query import SearchQuery, Sort
from hybrid.search import HybridSearch
from hybrid.settings import Settings
from hybrid.wiring import open_search

SORTS: tuple[Sort, ...] = ("relevance", "year", "title", "rating", "votes")

LISTS = 200
"""Lists of each sort, half of them with filters."""


def filtered(search: HybridSearch, chance: random.Random) -> SearchQuery:
    """Return a list of all films, or of those of some years and a genre that occurs."""
    if chance.random() < 0.5:
        return SearchQuery()
    ids = search.catalogue.columns.ids
    movie = search.movie(int(ids[chance.randrange(len(ids))]))
    year = movie.year or 1950
    return SearchQuery(genre=movie.genres[:1], year_from=year - 10, year_to=year + 10)


def milliseconds(search: HybridSearch, query: SearchQuery) -> tuple[float, str | None]:
    """Return how long a page takes, and where the next one begins."""
    start = perf_counter()
    answer = find(search, query)
    return 1000 * (perf_counter() - start), answer.next_cursor


def pages(search: HybridSearch, sort: Sort) -> Iterator[tuple[float, float]]:
    """Yield the times of first and second pages."""
    chance = random.Random(5)
    for _ in range(LISTS):
        query = filtered(search, chance).model_copy(update={"sort": sort})
        first, cursor = milliseconds(search, query)
        if cursor:
            query = query.model_copy(update={"cursor": cursor})
            yield first, milliseconds(search, query)[0]


@click.command(help=__doc__)
@click.option("--data", required=True)
def main(data: str) -> None:
    """List films by each sort and print the times."""
    with closing(open_search(Settings.load(data=data, deadline=60.0))) as search:
        find(search, SearchQuery(sort="year", order="asc"))  # opens what all lists need
        print(f"{len(search.catalogue):,} films; milliseconds: median, 95th percentile")
        print(f"{'sort':10} {'very first':>10} {'first page':>16} {'second page':>16}")
        for sort in SORTS:
            very_first, _ = milliseconds(search, SearchQuery(sort=sort))
            times = np.array(list(pages(search, sort)))
            cells = [
                " ".join(f"{t:7.2f}" for t in np.percentile(some, (50, 95))) for some in times.T
            ]
            print(f"{sort:10} {very_first:10.2f} {cells[0]:>16} {cells[1]:>16}")


if __name__ == "__main__":
    main()
