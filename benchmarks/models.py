"""What models find of the same films, and what a query costs them.

    python -m benchmarks.models QUERIES.jsonl ... --data DIR --data DIR ...

Each DIR holds an index of the same films that was built with other models. For each kind of judged
query nDCG@10, or MRR@10 of titles, hybrid and by meaning alone; recall@10 of FAISS; and the
processor time to encode the text of a query as a multiple of that of the first index, both of one
text after the other in turns of all indices.
"""

from contextlib import ExitStack, closing
from itertools import islice
from pathlib import Path
from time import process_time

import click
import numpy as np

from benchmarks.ablation import measure_of
from benchmarks.texts import new_texts, read_texts
from hybrid.evaluation.evaluate import kinds
from hybrid.evaluation.formats import read_judgements
from hybrid.evaluation.measures import MRR, NDCG, measure_queries
from hybrid.evaluation.rankings import rank_queries
from hybrid.schemas.runs import Run
from hybrid.search import HybridSearch
from hybrid.settings import Settings
from hybrid.storage.generation import open_current
from hybrid.storage.manifest import Manifest
from hybrid.wiring import open_search

TEXTS = 200
"""Texts that each model encodes."""

RUNS = (Run(name="hybrid", mode="hybrid"), Run(name="meaning", mode="semantic"))


def means(search: HybridSearch, file: Path) -> dict[str, dict[str, float]]:
    """Return the mean of each kind of the queries of `file`, by run. Raises InvalidInput."""
    queries = list(read_judgements(file).queries)
    rankings, measure = rank_queries(search, queries, list(RUNS)), measure_of(queries)
    found = {
        run.name: measure_queries(queries, rankings[run.name], (NDCG, MRR))[measure] for run in RUNS
    }
    return {
        f"{file.stem} {kind}": {
            run: float(values[list(rows)].mean()) for run, values in found.items()
        }
        for kind, rows in kinds(queries).items()
    }


def milliseconds(searches: list[HybridSearch], texts: list[str]) -> list[float]:
    """Return the median processor time of encoding a text, for each search."""
    taken = np.zeros((len(texts), len(searches)))
    for row, text in enumerate(texts):
        for column, search in enumerate(searches):
            start = process_time()
            search.engines.encoder.encode([text])
            taken[row, column] = 1000 * (process_time() - start)
    return [float(median) for median in np.median(taken[len(texts) // 10 :], axis=0)]


def names(manifest: Manifest) -> str:
    """Return the models as `--model` takes them."""
    return ", ".join(
        model.name if model.weight == 1 else f"{model.name}:{model.weight:g}"
        for model in manifest.models
    )


@click.command(help=__doc__)
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True))
@click.option("--data", "folders", multiple=True, required=True, type=click.Path(path_type=Path))
def main(files: tuple[Path, ...], folders: tuple[Path, ...]) -> None:
    """Print what each index is, and a row for each kind of query."""
    with ExitStack() as stack:
        searches = []
        for number, folder in enumerate(folders, 1):
            manifest = open_current(folder).manifest
            recall = f"FAISS recall@10 {manifest.semantic.recall_at_10}"
            films = f"{manifest.counts.movies} films, {manifest.counts.sentences} sentences"
            click.echo(f"{number}: {names(manifest)}; {films}; {recall}")
            searches.append(stack.enter_context(closing(open_search(Settings(data=folder)))))
        numbers = range(1, len(folders) + 1)
        head = "".join(f"{f'hybrid {n}':>10}{f'meaning {n}':>11}" for n in numbers)
        click.echo(f"{'':24}{head}")
        for file in files:
            found = [means(search, file) for search in searches]
            for kind in found[0]:
                row = "".join(
                    f"{one[kind]['hybrid']:10.3f}{one[kind]['meaning']:11.3f}" for one in found
                )
                click.echo(f"{kind:24}{row}")
        times = milliseconds(searches, list(islice(new_texts(read_texts(files)), TEXTS)))
        multiples = ", ".join(
            f"{n}: {time / times[0]:.2f}" for n, time in zip(numbers, times, strict=True)
        )
        click.echo(f"processor time to encode a query, of that of 1: {multiples}")


if __name__ == "__main__":
    main(prog_name="python -m benchmarks.models")
