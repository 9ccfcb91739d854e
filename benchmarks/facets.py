"""What a filter of each kind, and counting each facet, adds to the time of a search.

    python -m benchmarks.facets QUERIES.jsonl ... --data DIR

Every search has a text that was not searched before, and the filter of a film taken at random.
The first line is the time of encoding alone, without a search. Filters that no film of the data has
are left out. Times are of one search in this process: on the clock, and the median of its threads
on the processor, which other work on the machine changes less.
"""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from itertools import islice
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from typing import Any, get_args

import click

from benchmarks.percentiles import Percentiles
from benchmarks.texts import new_texts, read_texts
from hybrid.browse import find
from hybrid.movie import Movie
from hybrid.query import FIELDS, NAMES, RANGES, Facet, SearchQuery
from hybrid.search import HybridSearch
from hybrid.settings import Settings
from hybrid.terminal.commands import setting
from hybrid.wiring import open_search

SEARCHES = 100
"""Searches of each line."""

FACETS: Sequence[Facet] = get_args(Facet)

Fields = Mapping[str, Any]


def filters_of(movie: Movie) -> dict[str, Fields]:
    """Return by name a filter of each kind that allows this film, as far as it has the value."""
    found: dict[str, Fields] = {"no genre of a film": {"exclude_genre": movie.genres[:1]}}
    for name, field in NAMES.items():
        found[FIELDS[name]] = {FIELDS[name]: getattr(movie, field)[:1]}
    for name, number in RANGES.items():
        value = getattr(movie, number)
        found[name] = {} if value is None else {f"{name}_from": value}
    return {name: fields for name, fields in found.items() if any(map(_given, fields.values()))}


def _given(value: object) -> bool:
    return value not in ((), None)


def facets_of(movie: Movie) -> Iterator[tuple[str, Fields]]:
    """Yield ways to count facets."""
    for facet in FACETS:
        yield f"facet {facet}", {"facets": (facet,)}
    yield "all facets", {"facets": FACETS}
    genre = {"genre": movie.genres[:1]}
    yield "all facets, under a genre", {"facets": FACETS} | genre
    yield "all facets, without a text", {"query": "", "facets": FACETS} | genre


def timed(run: Callable[..., object], *arguments: object) -> tuple[float, float]:
    """Return how many seconds something takes, on the clock and on the processor."""
    start, on_processor = perf_counter(), process_time()
    run(*arguments)
    return perf_counter() - start, process_time() - on_processor


def lines(search: HybridSearch, texts: Iterator[str]) -> Iterator[str]:
    """Yield a line for each thing that is measured."""
    chance, ids = random.Random(3), search.catalogue.columns.ids
    encode = search.engines.encoder.encode
    times = {"encoding alone": [timed(encode, [text]) for text in islice(texts, SEARCHES)]}
    for _ in range(SEARCHES):
        movie = search.movie(int(ids[chance.randrange(len(ids))]))
        filters = {f"filter {name}": fields for name, fields in filters_of(movie).items()}
        ways: dict[str, Fields] = {"search": {}, **filters, **dict(facets_of(movie))}
        for name, fields in ways.items():
            query = SearchQuery.model_validate({"query": next(texts), **fields})
            times.setdefault(name, []).append(timed(find, search, query))
    for name, some in times.items():
        clock, processor = zip(*some, strict=True)
        yield f"{name:28} {Percentiles.of(clock)}  processor {1000 * median(processor):7.2f} ms"


@click.command(help=__doc__)
@click.argument("queries", nargs=-1, required=True, type=click.Path(path_type=Path))
@setting("data")
@setting("elasticsearch_url")
def main(queries: tuple[Path, ...], **options: Any) -> None:
    """Search with each filter and facet and print the times."""
    with closing(open_search(Settings.load(**options, deadline=60.0))) as search:
        print(f"{len(search.catalogue):,} films")
        for line in lines(search, new_texts(read_texts(queries))):
            print(line)


if __name__ == "__main__":
    main()
