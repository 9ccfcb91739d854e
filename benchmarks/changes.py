"""Latency of changes, over HTTP and by the command line, and of searches meanwhile.

    python -m benchmarks.changes SOURCE QUERIES.jsonl --data DIR

An index of SOURCE is built with the embedding cache of DIR, and removed afterwards: with the
embedded engine or, if its URL is given, in Elasticsearch. All times are in milliseconds from the
start of the request: `acknowledged` until its response, `shown` until the service returns the
film. Times of commands include the start of Python.
"""

import json
import math
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event
from time import monotonic, sleep
from uuid import uuid4

import click
import numpy as np
import urllib3

from hybrid.access.keys import KeyFolder
from hybrid.engines.factory import elasticsearch
from hybrid.errors import InvalidInput
from hybrid.evaluation.formats import read_judgements
from hybrid.settings import Settings
from hybrid.terminal.commands import setting
from indexer.embedding.cache import CACHE

FIRST_ID = 2**40
"""Above the ids of real films."""

SEQUENTIAL = 40
"""Number of changes one after the other."""

CLIENTS, CONCURRENT = 16, 1000
"""Number of concurrent clients, and of changes by all of them: so many that they are merged."""

SEARCHES = 200
"""Number of searches while nothing changes."""

BULK = 1000
"""Number of films in the larger change by the command line."""

POLL = 0.005
"""Seconds between requests for a film."""


@dataclass(frozen=True)
class TimedChange:
    """A PUT: ms until it was acknowledged and until the film was shown, NaN if nobody waited for
    that, and its generation."""

    acknowledged: float
    shown: float
    generation: str


class Service:
    """A service over HTTP."""

    def __init__(self, url: str, key: str) -> None:
        self._url = url
        self._headers = {"Authorization": f"Bearer {key}"}
        self._pool = urllib3.PoolManager(maxsize=2 * CLIENTS)

    def put_shown(self, film: int) -> TimedChange:
        """Add a film, and wait until it is shown. Raises InvalidInput if the service rejects it."""
        change = self.put(film)
        start = monotonic()
        while self._pool.request("GET", f"{self._url}/movies/{film}").status != 200:
            sleep(POLL)
        waited = 1000 * (monotonic() - start)
        return replace(change, shown=change.acknowledged + waited)

    def put(self, film: int) -> TimedChange:
        """Add a film. Raises InvalidInput if the service rejects it."""
        body = json.dumps(
            {"title": f"The Lighthouse Machine {film}", "description": f"Keeper {film} dreams."}
        )
        start = monotonic()
        response = self._pool.request(
            "PUT",
            f"{self._url}/movies/{film}",
            body=body,
            headers=self._headers,
            retries=False,
        )
        acknowledged = 1000 * (monotonic() - start)
        if response.status != 200:
            raise InvalidInput(response.data.decode())
        return TimedChange(acknowledged, math.nan, json.loads(response.data)["generation"])

    def search(self, text: str) -> float:
        """Search, and return the time in ms. Raises InvalidInput if the service rejects it."""
        start = monotonic()
        response = self._pool.request("GET", f"{self._url}/search", fields={"q": text})
        if response.status != 200:
            raise InvalidInput(response.data.decode())
        return 1000 * (monotonic() - start)


@contextmanager
def serving(data: Path, port: str) -> Iterator[Service]:
    """Serve an index whose films can be changed. Raises InvalidInput if the service fails."""
    _, key = KeyFolder(data / "keys").create(("write",), "benchmark")
    process = subprocess.Popen(
        [sys.executable, "-m", "hybrid", "serve", "--data", str(data), "--port", port],
        env=os.environ | {"HYBRID_WRITES": "on"},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        if not any(output.startswith("ready") for output in process.stdout or ()):
            raise InvalidInput("the service did not start")
        yield Service(f"http://127.0.0.1:{port}", key)
    finally:
        process.terminate()
        process.wait()


def over_http(service: Service, queries: Sequence[str]) -> Iterator[str]:
    """Change films by requests; yield the lines of the report."""
    yield time_searches("search, nothing changing", service, queries)
    stop = Event()
    with ThreadPoolExecutor(CLIENTS) as pool:
        searches = pool.submit(search_until, stop, service, queries)
        ids = range(FIRST_ID, FIRST_ID + SEQUENTIAL + CONCURRENT)
        sequential = [service.put_shown(film) for film in ids[:SEQUENTIAL]]
        stop.set()
        yield report_line("search, films changing", searches.result())
        start = monotonic()
        concurrent = list(pool.map(service.put, ids[SEQUENTIAL:]))
        rate = CONCURRENT / (monotonic() - start)
    name = "one PUT after the other"
    yield report_line(f"{name}, acknowledged", [change.acknowledged for change in sequential])
    yield report_line(f"{name}, shown", [change.shown for change in sequential])
    name = f"{CONCURRENT} PUTs by {CLIENTS} clients"
    yield report_line(f"{name}, acknowledged", [change.acknowledged for change in concurrent])
    generations = len({change.generation for change in concurrent})
    yield f"{name}: {rate:.0f} a second, {generations} generations"
    yield time_searches("search, after these changes", service, queries)


def by_command(data: Path, source: Path) -> Iterator[str]:
    """Change films by the command line; yield the lines of the report."""
    for count in (1, BULK):
        films = [
            {
                "id": FIRST_ID - n,
                "title": f"Film {n}",
                "description": f"Here is {n}. It has {n} ends.",
            }
            for n in range(1, count + 1)
        ]
        lines = "".join(json.dumps(film) + "\n" for film in films)
        yield time_command(f"upsert of {count} films", data, ["upsert"], lines)
    update = ["update", str(source), "--discard-changes", "--quiet"]
    yield time_command("update that removes them again", data, update)
    yield time_command("update, nothing changed", data, update)
    yield time_command("verify", data, ["verify"])


def time_command(name: str, data: Path, arguments: Sequence[str], stdin: str = "") -> str:
    """Run a command of the indexer, and return the line of its time.

    Raises InvalidInput if it fails.
    """
    command = [sys.executable, "-m", "indexer", *arguments, "--data", str(data)]
    start = monotonic()
    done = subprocess.run(command, input=stdin, text=True, check=False, capture_output=True)
    if done.returncode:
        raise InvalidInput(done.stderr)
    return f"{name:<42} {1000 * (monotonic() - start):14.0f}"


def time_searches(name: str, service: Service, queries: Sequence[str]) -> str:
    """Search for some of the queries, and return the line of their times."""
    return report_line(name, [service.search(text) for text in queries[:SEARCHES]])


def search_until(stop: Event, service: Service, queries: Sequence[str]) -> list[float]:
    """Search for one query after the other until `stop`, and return the times in ms."""
    times: list[float] = []
    while not stop.is_set():
        times.append(service.search(queries[len(times) % len(queries)]))
    return times


def report_line(name: str, times: Sequence[float]) -> str:
    """Return median, 95th percentile and maximum of the times of requests, in a line."""
    median, p95 = np.percentile(times, (50, 95))
    return f"{name:<42} median {median:7.1f}   p95 {p95:7.1f}   most {max(times):7.1f}"


@click.command()
@click.argument("source", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("queries", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@setting("data")
@setting("elasticsearch_url")
@click.option("--port", default="8901", show_default=True, help="for the service that is measured")
def main(source: Path, queries: Path, port: str, **given: str | None) -> None:
    """Print the latency of changes to an index of SOURCE, and of searches meanwhile."""
    settings = Settings.load(**given)
    texts = [judged.text for judged in read_judgements(queries, None).queries]
    with tempfile.TemporaryDirectory(dir=settings.data.parent) as folder, prefix_of(settings):
        data = Path(folder)
        shutil.copyfile(settings.data / CACHE, data / CACHE)
        click.echo(time_command("build", data, ["build", str(source), "--quiet"]))
        with serving(data, port) as service:
            for line in (*over_http(service, texts), *by_command(data, source)):
                click.echo(line)
            click.echo(time_searches("search, after all changes", service, texts))


@contextmanager
def prefix_of(settings: Settings) -> Iterator[None]:
    """Give child processes the URL of Elasticsearch, if there is one, and a prefix of their own."""
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
