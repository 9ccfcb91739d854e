"""Recall and time of the semantic side under filters that allow ever fewer films.

    python -m benchmarks.filters QUERIES.jsonl ... --data DIR [--json FILE]

For each share several filters by year, or by genre and year, are drawn that allow nearly this share
of the films; every query is asked with one of them. Recall@10 is the share of the ten best films
that are found: those of an exact scan of all films that the filter allows, with the same query
vector; films that score like the tenth count. Times are of one query, in this process: of the
semantic engine, of the exact scan, and of the whole hybrid retrieval with encoding.
"""

import random
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

import click
import numpy as np

from benchmarks.faiss_settings import ROUNDING
from benchmarks.percentiles import Percentiles
from benchmarks.results import machine, write_results
from benchmarks.texts import read_texts
from hybrid.engines.factory import open_sentences
from hybrid.engines.semantic.exact import ExactEngine
from hybrid.errors import InvalidInput
from hybrid.monitoring.stopwatch import Stopwatch
from hybrid.query import Filters, SearchQuery
from hybrid.search import HybridSearch
from hybrid.settings import Settings
from hybrid.storage.filter_columns import FilterColumns
from hybrid.storage.generation import open_current
from hybrid.terminal.commands import setting
from hybrid.wiring import open_search

SHARES = (1.0, 0.5, 0.1, 0.01, 0.001)
"""Shares of the films that filters allow; 1 is no filter."""

FILTERS = 8
"""Filters for each share."""

TOLERANCE = 0.25
"""The most by which the share of a filter may differ from the wanted one, as a part of it."""

TRIES = 10_000

FILMS = 10


@dataclass(frozen=True)
class Measured:
    """What filters of a share cost; `films` is the mean number that they allow."""

    share: float
    filters: int
    films: float
    recall_at_10: float
    least_recall: float
    semantic: Percentiles
    exact: Percentiles
    retrieval: Percentiles


def filters_of(columns: FilterColumns, share: float, seed: int = 0) -> list[Filters]:
    """Return filters that allow nearly this share of the films; without any filter for all films.

    Half of them name a genre. Raises InvalidInput if there are no such filters.
    """
    if share == 1:
        return [Filters()]
    chance = random.Random(seed)
    wanted = max(1, round(share * len(columns.ids)))
    genres = sorted(key for key, rows in columns.genres.items() if len(rows) >= wanted)
    found: dict[Filters, None] = {}
    for _ in range(TRIES):
        genre = chance.choice(genres) if genres and len(found) % 2 else None
        rows = columns.genres[genre] if genre else np.arange(len(columns.ids))
        years = np.sort(columns.years[rows])
        start = chance.randrange(len(years) - wanted + 1)
        first, last = int(years[start]), int(years[start + wanted - 1])
        drawn = Filters(genres=(genre,) if genre else (), year_from=first or 1, year_to=last or 1)
        allowed = int(columns.allowed(drawn).sum())
        if abs(allowed - wanted) <= TOLERANCE * wanted:
            found[drawn] = None
        if len(found) == FILTERS:
            break
    if not found:
        raise InvalidInput(f"no filter allows a share of {share:g} of these films")
    return list(found)


def measure(
    search: HybridSearch, exact: ExactEngine, texts: Sequence[str], share: float
) -> Measured:
    """Ask every query with one of the filters of a share."""
    filters = filters_of(exact.columns, share)
    recalls, semantic, scan, retrieval = [], [], [], []
    for number, text in enumerate(texts):
        chosen, watch = filters[number % len(filters)], Stopwatch()
        start = monotonic()
        candidates = search.retrieve(SearchQuery.filtered(text, chosen), watch)
        retrieval.append(monotonic() - start)
        semantic.append(watch.seconds["semantic"])
        assert candidates.query_vector is not None  # noqa: S101, for the type checker
        start = monotonic()
        best = exact.search(candidates.query_vector, chosen, FILMS)
        scan.append(monotonic() - start)
        if len(best):
            found = candidates.semantic_list.top(FILMS).ids
            scores = exact.score(candidates.query_vector, found)
            recalls.append(float((scores >= best.scores[-1] - ROUNDING).sum()) / len(best))
    return Measured(
        share,
        len(filters),
        float(np.mean([exact.columns.allowed(each).sum() for each in filters])),
        round(float(np.mean(recalls)), 4),
        min(recalls),
        Percentiles.of(semantic),
        Percentiles.of(scan),
        Percentiles.of(retrieval),
    )


def lines(found: Measured) -> Iterator[str]:
    """Yield the lines of a share."""
    yield (
        f"{found.share:7.1%} of the films ({found.films:,.0f}), {found.filters} filters: "
        f"recall@10 {found.recall_at_10:.4f}, of a query at least {found.least_recall:.1f}"
    )
    yield f"    semantic engine  {found.semantic}"
    yield f"    exact scan       {found.exact}"
    yield f"    retrieval        {found.retrieval}"


@click.command()
@click.argument("queries", nargs=-1, required=True, type=click.Path(path_type=Path))
@setting("data")
@setting("elasticsearch_url")
@click.option("--json", "file", type=click.Path(path_type=Path), help="write the results here")
def main(queries: tuple[Path, ...], file: Path | None, **given: Any) -> None:
    """Print recall@10 and times under filters, for the texts of QUERIES."""
    before, settings = machine(), Settings.load(**given)
    texts, rows = read_texts(queries), []
    with closing(open_search(settings)) as search:
        sentences = open_sentences(open_current(settings.data), search.catalogue)
        exact = ExactEngine(sentences, search.catalogue.columns)
        search.warm()
        for share in SHARES:
            found = measure(search, exact, texts, share)
            rows.append(found)
            for line in lines(found):
                click.echo(line)
    results = {"films": len(exact.columns.ids), "queries": len(texts), "shares": rows}
    write_results(file, "filters", before, results)


if __name__ == "__main__":
    main()
