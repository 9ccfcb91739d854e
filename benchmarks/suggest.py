"""How long suggestions take while titles and names are typed, and how soon they have them.

    python -m benchmarks.suggest --data DIR [--copies 28]

With copies every title is there that many times, each with a word of its own: 28 make a million of
36 thousand films.
"""

import random
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import fields
from time import perf_counter, process_time

import click
import numpy as np

from hybrid.query import SuggestQuery
from hybrid.retrieval.suggestion_index import SuggestionIndex
from hybrid.retrieval.suggestions import Part, Suggestions
from hybrid.search import HybridSearch
from hybrid.settings import Settings
from hybrid.storage.catalogue import Catalogue
from hybrid.storage.rows import NO_ROWS
from hybrid.suggest import suggest
from hybrid.wiring import open_search

TYPED = 150
"""Titles and names that are typed; as many again with a letter swapped."""

GROUPS = ((1, "1 letter"), (3, "2 to 3"), (8, "4 to 8"), (10**6, "more"))
"""Letters typed, by which times are grouped: at most as many."""


def group(length: int) -> str:
    """Return the name of the group of so many letters."""
    return next(name for most, name in GROUPS if length <= most)


def enlarged(catalogue: Catalogue, copies: int) -> Suggestions:
    """Return what is suggested of `copies` times as many titles and people."""
    titles, people = list(catalogue.titles()), list(catalogue.people())
    words = [name.split()[-1] for name, _ in people]
    chance = random.Random(7)

    def more(text: str, copy: int) -> str:
        return f"{text} {chance.choice(words)}" if copy else text

    many = [(row, more(title, copy)) for row, title in titles for copy in range(copies)]
    names = [(more(name, copy), films) for name, films in people for copy in range(copies)]
    index = SuggestionIndex.of(many, catalogue.sentences.counts, sorted(names))
    return Suggestions([Part(index, lambda rows: rows, NO_ROWS)], {})


def typed(search: HybridSearch) -> Iterator[str]:
    """Yield titles and names, as they are and with two neighbouring letters swapped."""
    chance = random.Random(5)
    titles = [title for _, title in search.catalogue.titles()]
    names = [name for name, films in search.catalogue.people() if films > 5]
    for text in chance.sample([*titles, *names], TYPED):
        yield text
        if len(text) > 6:
            place = chance.randint(1, 4)
            yield text[:place] + text[place + 1] + text[place] + text[place + 2 :]


def report(name: str, times: Sequence[tuple[float, float]]) -> None:
    """Print quantiles of times, elapsed and of the processor, in milliseconds."""
    elapsed, cpu = (
        np.percentile(np.array(some) * 1000, (50, 95, 99)) for some in zip(*times, strict=True)
    )
    cells = " ".join(f"{time:8.2f}" for time in (*elapsed, *cpu))
    print(f"{name:14} {len(times):6} {cells}")


@click.command(help=__doc__)
@click.option("--data", required=True)
@click.option("--copies", default=1, show_default=True, help="times that each film is there")
def main(data: str, copies: int) -> None:
    """Type letter by letter, and print times by the number of letters."""
    with closing(open_search(Settings.load(data=data, deadline=60.0))) as search:
        start = perf_counter()
        if copies > 1:
            search.suggestions = enlarged(search.catalogue, copies)
        index = search.suggestions.parts[0].index
        size = sum(getattr(index, field.name).nbytes for field in fields(index))
        print(
            f"{index.firsts[1]:,} titles, {index.firsts[2] - index.firsts[1]:,} people, "
            f"{len(index.keys):,} keys, {size / 1e6:.0f} MB, {perf_counter() - start:.2f} s"
        )
        times: dict[str, list[tuple[float, float]]] = {name: [] for _, name in GROUPS}
        for text in typed(search):
            for length in range(1, len(text) + 1):
                if not text[:length].strip():
                    continue
                query = SuggestQuery(q=text[:length])
                start, cpu = perf_counter(), process_time()
                suggest(search, query)
                times[group(length)].append((perf_counter() - start, process_time() - cpu))
        print(
            f"{'letters':14} {'asked':>6} {'ms: median, 95 %, 99 %':>26} {'of the processor':>26}"
        )
        for name, some in times.items():
            report(name, some)
        report("all", [time for some in times.values() for time in some])


if __name__ == "__main__":
    main()
