"""Answers of a service to many requests, to see that a change leaves them as they are.

    python -m benchmarks.answers URL QUERIES.jsonl ... > FILE

Ask two services over the same data folder and compare the files with `cmp`: every mode, fusion,
filter and explanation occurs, on /search and on /compare. Timings are left out.
"""

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import urlopen

import click

from hybrid.evaluation.formats import read_judgements

OPTIONS: dict[str, tuple[object, ...]] = {
    "mode": ("hybrid", "hybrid", "hybrid", "keyword", "semantic"),
    "fusion": (None, None, "attainable", "rrf", "min_max", "z_score", "dbsf"),
    "alpha": (None, None, "auto", 0, 0.3, 0.5, 1),
    "genre": (None, None, None, "drama", "comedy", "western"),
    "year_from": (None, None, 1930, 1970),
    "year_to": (None, None, 1975, 2005),
    "explain": ("none", "summary", "full"),
    "highlight": (None, "true"),
    "limit": (None, 3, 50),
}
COMPARED = ("genre", "year_from", "year_to", "explain", "highlight", "limit")
"""The options that a comparison takes, too."""


def requests(texts: list[str], count: int, seed: int) -> Iterator[str]:
    """Give paths with query strings, of which every fourth is a comparison."""
    chance = random.Random(seed)
    for number in range(count):
        options = {name: chance.choice(values) for name, values in OPTIONS.items()}
        path = "/compare" if number % 4 == 3 else "/search"
        chosen = {
            name: value
            for name, value in options.items()
            if value is not None and (path == "/search" or name in COMPARED)
        }
        yield f"{path}?{urlencode({'q': chance.choice(texts)} | chosen)}"


def answer(url: str) -> dict[str, Any]:
    """Return the answer at a URL, without its timings."""
    with urlopen(url, timeout=60) as response:  # noqa: S310, the caller's own URL
        content: dict[str, Any] = json.load(response)
    del content["timings_ms"]
    return content


@click.command()
@click.argument("url")
@click.argument("queries", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--count", default=500, show_default=True, help="number of requests")
@click.option("--seed", default=0, show_default=True)
def main(url: str, queries: tuple[Path, ...], count: int, seed: int) -> None:
    """Print the service's answers at URL, a line of JSON each, behind the request."""
    texts = [query.text for file in queries for query in read_judgements(file).queries]
    for request in requests(texts, count, seed):
        click.echo(f"{request}\t{json.dumps(answer(url + request), ensure_ascii=False)}")


if __name__ == "__main__":
    main()
