"""How long changes take, over HTTP and by the command line, and what searches notice of them.

    python -m benchmarks.changes SOURCE QUERIES.jsonl --data DIR

An index of SOURCE is built for it, with the cache of embeddings of DIR, and removed again: on the
embedded engine or, where its address is given, in Elasticsearch. Every time is in milliseconds,
from the request on: `acknowledged` until its answer, `shown` until the service answers with the
film; that of a command has the start of Python in it.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from time import monotonic, sleep
from uuid import uuid4

import click
import numpy as np
import urllib3

from hybrid.engines.factory import elasticsearch
from hybrid.errors import InvalidInput
from hybrid.evaluation.formats import read_judgements
from hybrid.settings import Settings
from hybrid.terminal.commands import setting
from indexer.embedding.cache import CACHE

FIRST = 2**40
"""Above all ids of real films."""

SINGLE = 20
"""Changes one after the other."""

CLIENTS, TOGETHER = 12, 36
"""Changes by so many clients at once."""

SEARCHES = 200
"""Searches while nothing changes."""

MANY = 1000
"""Films in one change by the command line."""

POLL = 0.02
"""Seconds between looks for a film."""


@dataclass(frozen=True)
class Change:
    """One PUT: ms until it was acknowledged and until it was shown, and in which generation."""

    acknowledged: float
    shown: float
    generation: str


class Service:
    """A service over HTTP."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._pool = urllib3.PoolManager(maxsize=2 * CLIENTS)

    def put(self, film: int) -> Change:
        """Add a film, and wait until it is shown."""
        body = json.dumps(
            {"title": f"The Lighthouse Machine {film}", "description": f"Keeper {film} dreams."}
        )
        began = monotonic()
        answer = self._pool.request("PUT", f"{self._url}/movies/{film}", body=body, retries=False)
        acknowledged = monotonic() - began
        if answer.status != 200:
            raise InvalidInput(answer.data.decode())
        while self._pool.request("GET", f"{self._url}/movies/{film}").status != 200:
            sleep(POLL)
        shown = monotonic() - began
        return Change(1000 * acknowledged, 1000 * shown, json.loads(answer.data)["generation"])

    def search(self, text: str) -> float:
        """Search, and return how many ms that took."""
        began = monotonic()
        answer = self._pool.request("GET", f"{self._url}/search", fields={"q": text})
        if answer.status != 200:
            raise InvalidInput(answer.data.decode())
        return 1000 * (monotonic() - began)


@contextmanager
def serving(data: Path, port: str) -> Iterator[Service]:
    """Serve an index that may be changed."""
    process = subprocess.Popen(
        [sys.executable, "-m", "hybrid", "serve", "--data", str(data), "--port", port],
        env=os.environ | {"HYBRID_WRITES": "on"},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        if not any(line.startswith("ready") for line in process.stdout):
            raise InvalidInput("the service did not start")
        yield Service(f"http://127.0.0.1:{port}")
    finally:
        process.terminate()
        process.wait()


def over_http(service: Service, queries: Sequence[str]) -> Iterator[str]:
    """Change films by requests; give the lines of the report."""
    yield searched("search, nothing changing", service, queries)
    stop = Event()
    with ThreadPoolExecutor(CLIENTS + 1) as pool:
        searching = pool.submit(searches_until, stop, service, queries)
        single = [service.put(FIRST + number) for number in range(SINGLE)]
        together = list(pool.map(service.put, range(FIRST + SINGLE, FIRST + SINGLE + TOGETHER)))
        stop.set()
        yield line("search, films changing", searching.result())
    for name, changes in (
        ("one PUT after the other", single),
        (f"{TOGETHER} PUTs by {CLIENTS} clients", together),
    ):
        yield line(f"{name}, acknowledged", [change.acknowledged for change in changes])
        yield line(f"{name}, shown", [change.shown for change in changes])
        yield f"{name}: {len({change.generation for change in changes})} generations"
    yield searched("search, after these changes", service, queries)


def by_command(data: Path, source: Path) -> Iterator[str]:
    """Change films by the command line; give the lines of the report."""
    for count in (1, MANY):
        films = [
            {"id": FIRST - n, "title": f"Film {n}", "description": f"Here is {n}. It has {n} ends."}
            for n in range(1, count + 1)
        ]
        lines = "".join(json.dumps(film) + "\n" for film in films)
        yield ran(f"upsert of {count} films", data, ["upsert"], lines)
    update = ["update", str(source), "--discard-changes", "--quiet"]
    yield ran("update that removes them again", data, update)
    yield ran("update, nothing changed", data, update)
    yield ran("verify", data, ["verify"])


def ran(name: str, data: Path, arguments: Sequence[str], typed: str = "") -> str:
    """Run a command of the indexer; return the line that says how long it took."""
    command = [sys.executable, "-m", "indexer", *arguments, "--data", str(data)]
    began = monotonic()
    done = subprocess.run(command, input=typed, text=True, check=False, capture_output=True)
    if done.returncode:
        raise InvalidInput(done.stderr)
    return f"{name:<42} {1000 * (monotonic() - began):14.0f}"


def searched(name: str, service: Service, queries: Sequence[str]) -> str:
    """Search for some of the queries; return the line that says how long that took."""
    return line(name, [service.search(text) for text in queries[:SEARCHES]])


def searches_until(stop: Event, service: Service, queries: Sequence[str]) -> list[float]:
    """Search for one query after the other, and return the ms of each search."""
    taken: list[float] = []
    while not stop.is_set():
        taken.append(service.search(queries[len(taken) % len(queries)]))
    return taken


def line(name: str, taken: Sequence[float]) -> str:
    """Return the line that gives the times of requests."""
    median, late = np.percentile(taken, (50, 95))
    return f"{name:<42} median {median:7.1f}   p95 {late:7.1f}   most {max(taken):7.1f}"


@click.command()
@click.argument("source", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("queries", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@setting("data")
@setting("elasticsearch_url")
@click.option("--port", default="8901", show_default=True, help="for the service that is measured")
def main(source: Path, queries: Path, port: str, **given: str | None) -> None:
    """Print what changes of an index of SOURCE take, and what searches notice of them."""
    settings = Settings.load(**given)
    texts = [judged.text for judged in read_judgements(queries, None).queries]
    with tempfile.TemporaryDirectory(dir=settings.data.parent) as folder, prefix_of(settings):
        data = Path(folder)
        shutil.copyfile(settings.data / CACHE, data / CACHE)
        click.echo(ran("build", data, ["build", str(source), "--quiet"]))
        with serving(data, port) as service:
            for told in (*over_http(service, texts), *by_command(data, source)):
                click.echo(told)
            click.echo(searched("search, after all changes", service, texts))


@contextmanager
def prefix_of(settings: Settings) -> Iterator[None]:
    """Give the processes of this one Elasticsearch, if there is one, and a prefix of their own."""
    if settings.elasticsearch_url is None:
        yield
        return
    prefix = f"benchmark-{uuid4().hex[:12]}"
    os.environ["HYBRID_ELASTICSEARCH_URL"] = settings.elasticsearch_url
    os.environ["HYBRID_ELASTICSEARCH_PREFIX"] = prefix
    try:
        yield
    finally:
        with elasticsearch(settings) as client:
            client.indices.delete(index=list(client.indices.get(index=f"{prefix}-*")))


if __name__ == "__main__":
    main(prog_name="python -m benchmarks.changes")
