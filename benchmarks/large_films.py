"""Cost of films far larger than real ones: of comparing them, searching them and changing them.

    python -m benchmarks.large_films [--data DIR]

The films of the sample are indexed in DIR, which is kept, or in a folder that is removed. The large
films are added as an earlier version would have accepted them, without any bound. Each measurement
runs in a process of its own and prints its seconds, those of CPU, sizes and resident memory.
"""

import json
import multiprocessing
import random
import resource
import shutil
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from time import monotonic, process_time, sleep

import click

from hybrid.engines.factory import lexical_writer
from hybrid.errors import HybridError
from hybrid.movie import Movie
from hybrid.settings import Settings
from hybrid.storage.generation import CURRENT
from hybrid.web.app import create_app
from hybrid.wiring import open_search
from indexer.backends import backends_for
from indexer.build import BuildOptions, build
from indexer.cli import SAMPLE
from indexer.embedding.model import load_model
from indexer.films.film_file import read_films
from indexer.group_commit import GroupCommit
from indexer.update import change, upsert

FIRST_ID = 2**40
"""Above the ids of real films."""

FILMS, CHARACTERS = 100, 63_000
"""Number of large films, and the length of their descriptions: a body of 64 KiB."""

GENRES, ASKED = 5_500, 50
"""Genres of each of six films, and genres in a query that no film has."""

WORDS = 6_550
"""Sentences of one word in a description."""

CLIENTS = 8
"""Number of comparisons at once."""

COMPARISON = {
    "query": "a young woman falls in love with the man who killed her father",
    "runs": {f"r{n}": {"mode": "hybrid", "alpha": n / 7} for n in range(8)},
    "limit": 100,
    "explain": "full",
    "highlight": True,
}


def long_films() -> Iterator[Movie]:
    """Yield films whose descriptions are those of the sample in a random order."""
    texts = [movie.description or "" for movie in read_films(SAMPLE).cleaned.movies]
    drawn = random.Random(15)
    for number in range(FILMS):
        text = " ".join(drawn.sample(texts, len(texts))) + " "
        text = (text * (CHARACTERS // len(text) + 1))[:CHARACTERS].strip()
        yield Movie(id=FIRST_ID + number, title=f"Long Film {number}", description=text)


def films_of_genres() -> Iterator[Movie]:
    """Yield six films with thousands of genres, all different."""
    for number in range(6):
        genres = tuple(f"Genre of film {number}, kind {kind}" for kind in range(GENRES))
        yield Movie(id=FIRST_ID + FILMS + number, title=f"Of All Genres {number}", genres=genres)


def compare_once(data: Path) -> None:
    """Print the cost of the largest comparison that a request can ask for."""
    _compare(data, 1)


def compare_at_once(data: Path) -> None:
    """Print the cost of the same comparison, asked several times at once."""
    _compare(data, CLIENTS)


def _compare(data: Path, clients: int) -> None:
    with closing(open_search(Settings(data=data))) as search:
        app = create_app(search)

        def answer(_: int) -> int:
            with app.test_client() as client:
                response = client.post("/compare", json=COMPARISON)
                if response.status_code != 200:
                    raise click.ClickException(response.text)
                return len(response.data)

        answer(0)
        start = monotonic(), process_time()
        with ThreadPoolExecutor(clients) as pool:
            sizes = list(pool.map(answer, range(clients)))
        _print(f"{clients} x /compare, 8 runs of 100, full", start, max(sizes))


def search_unknown_genres(data: Path) -> None:
    """Print the cost of a search for many genres that no film has."""
    with closing(open_search(Settings(data=data))) as search:
        client = create_app(search).test_client()
        asked = [f"Genre of no film, kind {number}" for number in range(ASKED)]
        start = monotonic(), process_time()
        response = client.post("/search", json={"query": "a genre", "genre": asked})
        _print(f"/search, {ASKED} unknown genres", start, len(response.data))


def put_words(data: Path) -> None:
    """Print how long one film of thousands of sentences takes, and one that arrives behind it."""
    settings = Settings(data=data)
    drawn = random.Random()  # other words each time: none is in the cache
    words = ["".join(drawn.choices("abcdefghijklmnoprstuvw", k=6)) for _ in range(WORDS)]
    with closing(GroupCommit(data, backends_for(settings, patience=10.0))) as group:
        group.put(FIRST_ID + 1_000, {"title": "The first one, which opens the stores"})
        with ThreadPoolExecutor(2) as pool:
            for count in (WORDS, 300):
                text = " ".join(word.capitalize() + "." for word in words[-count:])
                large = pool.submit(_put, group, FIRST_ID + 1_001, text)
                sleep(0.2)  # by now the large one is being embedded
                small = pool.submit(_put, group, FIRST_ID + 1_002, f"One sentence of {count}.")
                _report(f"PUT of {count:,} sentences", large)
                _report("PUT of a sentence behind it", small)


def _put(group: GroupCommit, film: int, text: str) -> tuple[float, str]:
    start = monotonic()
    try:
        outcome: str = group.put(film, {"title": "A film", "description": text}).change
    except HybridError as error:
        outcome = f"refused: {error.message}"
    return monotonic() - start, outcome


def _report(name: str, done: "Future[tuple[float, str]]") -> None:
    seconds, outcome = done.result()
    click.echo(f"{name:<38} {seconds:8.2f} s  {outcome}")


def _print(name: str, start: tuple[float, float], size: int) -> None:
    seconds, cpu = monotonic() - start[0], process_time() - start[1]
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    click.echo(
        f"{name:<38} {seconds:8.2f} s  {cpu:8.2f} s CPU  {size / 1e6:8.2f} MB  {memory:6.2f} GB"
    )


def _prepare(data: Path) -> None:
    """Publish the films of the sample and the large ones, unless `data` has them."""
    if (data / CURRENT).exists():
        return
    settings = Settings(data=data)
    build(
        SAMPLE,
        data,
        settings.model,
        load_model(settings.model, settings.models),
        lambda folder, deployment: lexical_writer(settings, "embedded", folder, deployment),
        BuildOptions(quiet=True),
    )
    movies = [*long_films(), *films_of_genres()]
    click.echo(json.dumps(change(data, upsert(movies), backends_for(settings)).seconds))


def _measure(part: Callable[[Path], None], data: Path) -> None:
    process = multiprocessing.get_context("spawn").Process(target=part, args=(data,))
    process.start()
    process.join()


@click.command()
@click.option("--data", type=click.Path(path_type=Path), help="folder to keep the index in")
def main(data: Path | None) -> None:
    """Measure what large films cost."""
    folder = data or Path(tempfile.mkdtemp())
    try:
        _measure(_prepare, folder)
        for part in (compare_once, compare_at_once, search_unknown_genres, put_words):
            _measure(part, folder)
    finally:
        if data is None:
            shutil.rmtree(folder)


if __name__ == "__main__":
    main()
