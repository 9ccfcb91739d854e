"""How long films take to list without a text, by sort: a first page, a later one, a first of all.

    python -m benchmarks.browse --data DIR

Each list has random filters by genre and years. The first list of a sort makes its order, which
later ones share.
"""

import random
from collections.abc import Iterator
from contextlib import closing
from time import perf_counter, process_time

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


def milliseconds(search: HybridSearch, query: SearchQuery) -> tuple[float, float, str | None]:
    """Return how long a page takes, elapsed and of the processor, and where the next one begins."""
    start, cpu = perf_counter(), process_time()
    answer = find(search, query)
    return 1000 * (perf_counter() - start), 1000 * (process_time() - cpu), answer.next_cursor


def pages(search: HybridSearch, sort: Sort) -> Iterator[tuple[float, ...]]:
    """Yield the times of a first page and of the second one."""
    chance = random.Random(5)
    for _ in range(LISTS):
        query = filtered(search, chance).model_copy(update={"sort": sort})
        *first, cursor = milliseconds(search, query)
        if cursor:
            *second, _ = milliseconds(search, query.model_copy(update={"cursor": cursor}))
            yield (*first, *second)


@click.command(help=__doc__)
@click.option("--data", required=True)
def main(data: str) -> None:
    """List films by each sort and print the times."""
    with closing(open_search(Settings.load(data=data, deadline=60.0))) as search:
        find(search, SearchQuery(sort="year", order="asc"))  # opens what all lists need
        print(f"{len(search.catalogue):,} films; milliseconds elapsed and of the processor")
        print(f"{'':10} {'order made':>16} {'first page, median':>20} {'95 %':>16}", end="")
        print(f" {'second page, median':>20} {'95 %':>16}")
        for sort in SORTS:
            elapsed, cpu, _ = milliseconds(search, SearchQuery(sort=sort))
            times = np.percentile(np.array(list(pages(search, sort))), (50, 95), axis=0)
            first, second = times[:, :2], times[:, 2:]
            cells = [f"{one[0]:8.2f} {one[1]:7.2f}" for one in (*first, *second)]
            print(f"{sort:10} {elapsed:8.2f} {cpu:7.2f} ", end="")
            print(f"{cells[0]:>20} {cells[1]:>16} {cells[2]:>20} {cells[3]:>16}")


if __name__ == "__main__":
    main()
