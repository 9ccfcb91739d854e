"""Latency of queries that limit the films, beside the same text without conditions.

    python -m benchmarks.query_language QUERIES.jsonl ... --data DIR

Each form is asked with the texts of the judged queries: first with conditions that the process has
not seen, then with the same conditions and other texts, so that their films come from the cache.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import click
import numpy as np

from hybrid.evaluation.formats import read_judgements
from hybrid.query import SearchQuery
from hybrid.retrieval.query_parser import parse_query
from hybrid.search import HybridSearch
from hybrid.settings import Settings
from hybrid.terminal.commands import setting
from hybrid.text.exact_words import exact_words
from hybrid.wiring import open_search

FORMS: Mapping[str, Callable[[str, str], str]] = {
    "plain text": lambda text, _: text,
    "-word (and its plural)": lambda text, word: f"{text} -{word}",
    '"word"': lambda text, word: f'{text} "{word}"',
    "person:word": lambda text, word: f"{text} person:{word}",
    "-the (nearly every film)": lambda text, _: f"{text} -the",
    "genre:drama year:1950..1979": lambda text, _: f"{text} genre:drama year:1950..1979",
    '-word -"a word" year:1950..': lambda text, word: f'{text} -{word} -"a {word}" year:1950..',
}


def milliseconds(search: HybridSearch, texts: Sequence[str]) -> Sequence[float]:
    """Return how long each search takes, without encoding."""
    taken = []
    for text in texts:
        search.engines.encoder.encode([parse_query(text).text])  # it is cached
    for text in texts:
        start = time.perf_counter()
        search.search(SearchQuery(query=text))
        taken.append(1000 * (time.perf_counter() - start))
    return taken


def described(taken: Sequence[float]) -> str:
    """Return median and 95th percentile."""
    return f"{np.median(taken):6.1f} {np.percentile(taken, 95):6.1f}"


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True))
@click.option("--count", default=150, show_default=True, help="searches of each kind")
@setting("data")
@setting("elasticsearch_url")
def main(files: tuple[Path, ...], count: int, **given: Any) -> None:
    """Print median and 95th percentile, in ms, for the texts of the judged queries in FILES."""
    queries = [query.text for file in files for query in read_judgements(file, None).queries]
    texts = [query for query in queries if query.isascii()][: 2 * count]
    first, second = texts[:count], texts[count:]
    words = [exact_words(text)[-1] for text in first]
    with closing(open_search(Settings.load(**given))) as search:
        search.warm()
        click.echo(f"{'ms: median, 95th percentile':32} {'new conditions':>15} {'known ones':>15}")
        for name, form in FORMS.items():
            new = milliseconds(search, list(map(form, first, words)))
            known = milliseconds(search, list(map(form, second, words)))
            click.echo(f"{name:32} {described(new):>15} {described(known):>15}")


if __name__ == "__main__":
    main(prog_name="python -m benchmarks.query_language")
