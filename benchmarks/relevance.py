"""nDCG@10 of the keyword, semantic and hybrid ranking, by kind of query.

    python -m benchmarks.relevance ../shared/eval/known-item.jsonl --data DIR

Queries are JSON lines: `id`, `kind`, `query`, `filters` (`genres`, `year_from`, `year_to`) and
`relevant`, a list of film ids.
"""

import json
from collections import defaultdict
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, get_args

import click
import numpy as np
from ir_measures import Qrel, ScoredDoc, iter_calc, nDCG

from hybrid.commands import setting
from hybrid.query import Filters, Fusion, FusionMethod, Mode, SearchQuery
from hybrid.search import HybridSearch
from hybrid.settings import Settings
from hybrid.wiring import open_search

Query = dict[str, Any]
Scores = dict[str, float]


def ndcg_at_10(
    search: HybridSearch, queries: Sequence[Query], mode: Mode, fusion: Fusion
) -> Scores:
    """Return nDCG@10 of each query by its id; every relevant film gains the same."""
    qrels = [Qrel(q["id"], str(film), 1) for q in queries for film in q["relevant"]]
    run = []
    for query in queries:
        answer = search.search(
            SearchQuery(
                text=query["query"], filters=Filters(**query["filters"]), mode=mode, fusion=fusion
            )
        )
        if answer.degraded:
            raise click.ClickException(f"{answer.degraded[0]} engine lost at query {query['id']}")
        # The measure sorts by score: ranks keep our order of ties.
        run += [ScoredDoc(query["id"], str(hit.id), -hit.rank) for hit in answer.hits]
    return {metric.query_id: metric.value for metric in iter_calc([nDCG @ 10], qrels, run)}


def by_kind(queries: Sequence[Query], scores: Scores) -> Scores:
    """Return the mean of each kind of query, and of all."""
    kinds: dict[str, list[float]] = defaultdict(list)
    for query in queries:
        kinds[query["kind"]].append(scores[query["id"]])
        kinds["all"].append(scores[query["id"]])
    return {kind: float(np.mean(kinds[kind])) for kind in [*sorted(kinds.keys() - {"all"}), "all"]}


@click.command()
@click.argument("queries", type=click.Path(path_type=Path, exists=True))
@setting("data")
@setting("elasticsearch_url")
@click.option("--alpha", type=float, multiple=True, help="also measure this alpha; repeatable")
@click.option("--fusions", is_flag=True, help="also measure every fusion")
def main(queries: Path, alpha: tuple[float, ...], fusions: bool, **given: Any) -> None:
    """Print a table of nDCG@10 for the QUERIES of a JSON lines file."""
    judged = [json.loads(line) for line in queries.read_text(encoding="utf-8").splitlines()]
    runs: list[tuple[str, Mode, Fusion]] = [(mode, mode, Fusion()) for mode in get_args(Mode)]
    runs += [(f"hybrid, alpha {share}", "hybrid", Fusion(alpha=share)) for share in alpha]
    for method in get_args(FusionMethod) if fusions else ():
        runs.append((f"hybrid, {method}, alpha .5", "hybrid", Fusion(method=method, alpha=0.5)))
    with closing(open_search(Settings.load(**given))) as search:
        for place, (name, mode, fusion) in enumerate(runs):
            means = by_kind(judged, ndcg_at_10(search, judged, mode, fusion))
            if not place:
                click.echo(f"{'nDCG@10':32}" + "".join(f"{kind:>10}" for kind in means))
            click.echo(f"{name:32}" + "".join(f"{mean:10.3f}" for mean in means.values()))


if __name__ == "__main__":
    main(prog_name="python -m benchmarks.relevance")
