"""What it gains to understand what queries mention, and how long it takes.

    python -m benchmarks.understanding QUERIES.jsonl ... --data DIR

For each kind of judged query nDCG@10, or MRR@10 of titles, with understanding off, preferring and
filtering, and the difference of preferring to off with its 95 % bootstrap interval.
"""

from contextlib import closing
from pathlib import Path
from time import perf_counter
from typing import Any

import click
import numpy as np

from benchmarks.ablation import measure_of
from hybrid.engines.deadline import NEVER
from hybrid.evaluation.evaluate import estimates, kinds
from hybrid.evaluation.formats import read_judgements
from hybrid.evaluation.judgements import JudgedQuery
from hybrid.evaluation.measures import MRR, NDCG, measure_queries
from hybrid.evaluation.rankings import rank_queries
from hybrid.query import Understand
from hybrid.query_language.language import read
from hybrid.ranking import Scores
from hybrid.schemas.runs import Run
from hybrid.search import HybridSearch
from hybrid.settings import Settings
from hybrid.terminal.commands import setting
from hybrid.understanding.mentions import mentions
from hybrid.wiring import open_search

SEED = 0

ROUNDS = 5
"""How often the mentions of each query are looked for; the first time fills caches."""


def scores_of(search: HybridSearch, queries: list[JudgedQuery]) -> dict[Understand, Scores]:
    """Return the measure of each query, float64 (queries,), by what becomes of what it mentions."""
    runs = [
        Run.model_validate({"name": understand, "mode": "hybrid", "understand": understand})
        for understand in ("off", "prefer", "filter")
    ]
    rankings = rank_queries(search, queries, runs)
    return {
        run.understand: measure_queries(queries, rankings[run.name], (NDCG, MRR))[
            measure_of(queries)
        ]
        for run in runs
    }


def milliseconds(search: HybridSearch, queries: list[JudgedQuery]) -> tuple[Scores, Scores]:
    """Return how long it takes to find what each query mentions, at first and later."""
    times = np.zeros((ROUNDS, len(queries)))
    knowledge = search.retriever.knowledge
    for number in range(ROUNDS):
        for place, query in enumerate(queries):
            taken = [part.span for part in read(query.text).parts if part.span]
            start = perf_counter()
            mentions(query.text, taken, knowledge, NEVER)
            times[number, place] = 1000 * (perf_counter() - start)
    return times[0], np.median(times[1:], axis=0)


@click.command(help=__doc__)
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True))
@setting("data")
def main(files: tuple[Path, ...], **given: Any) -> None:
    """Print a table of kinds of queries, and the time that it takes."""
    asked: list[JudgedQuery] = []
    with closing(open_search(Settings.load(**given))) as search:
        head = f"{'':24}{'queries':>8}{'off':>8}{'prefer':>8}{'filter':>8}"
        click.echo(f"{head}   prefer - off, 95 % interval")
        for file in files:
            queries = list(read_judgements(file, None).queries)
            asked += queries
            scores = scores_of(search, queries)
            for kind, rows in kinds(queries).items():
                means = "".join(f"{scores[one][list(rows)].mean():8.3f}" for one in scores)
                gain = (scores["prefer"] - scores["off"])[list(rows), np.newaxis]
                (gained,) = estimates(gain, SEED)
                interval = f"{gained.mean:+.3f}, {gained.low:+.3f} to {gained.high:+.3f}"
                click.echo(f"{f'{file.stem} {kind}':24}{len(rows):8}{means}   {interval}")
        for name, times in zip(("first", "later"), milliseconds(search, asked), strict=True):
            median, slow = np.percentile(times, (50, 95))
            click.echo(f"ms to understand, {name}: median {median:.2f}, 95th percentile {slow:.2f}")


if __name__ == "__main__":
    main(prog_name="python -m benchmarks.understanding")
