"""What searches notice of an Elasticsearch that hangs, drips, resets, floods or lies.

    python -m benchmarks.broken_elasticsearch --data DIR [--searches 200] [--rate 10] [--deadline 1]

Searches of the published generation of DIR, whose keyword engine is replaced by one that asks a
faulty server on this machine, arrive at this rate whether or not the previous ones were answered.
Each fault is measured twice: with the breaker, and without it, so that every search asks the
server. In a row: how many searches were answered, how many of them by meaning alone, and how many
refused, because this machine left them no time to encode the query either; their milliseconds
(median, 95th percentile, maximum); how many came later than 50 ms after the deadline; the largest
number of threads that asked, the requests that reached the server, and how much the memory of this
process grew at most.
"""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from itertools import cycle, islice
from pathlib import Path
from time import monotonic, sleep

import click
import numpy as np

from hybrid.engines import breaker
from hybrid.engines.lexical.elasticsearch import ElasticsearchEngine, connect
from hybrid.errors import EngineUnavailable
from hybrid.query import SearchQuery
from hybrid.search import HybridSearch
from hybrid.settings import Settings
from hybrid.wiring import open_search
from tests.faulty_elasticsearch import FAULTS, Faulty, faulty

QUERIES = ("masterless swordsmen", "heist", "a boy and his dog", "war in space", "the sea")
GRACE = 0.05
"""Seconds after the deadline within which an answer is in time."""


@dataclass
class Observed:
    """Seconds and degraded engines of each search, and the peaks of threads and memory (MB)."""

    seconds: list[float] = field(default_factory=list)
    degraded: list[tuple[str, ...]] = field(default_factory=list)
    threads: int = 0
    memory: float = 0.0


def resident() -> float:
    """Return the memory of this process in MB."""
    status = Path("/proc/self/status").read_text("utf-8")
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


@contextmanager
def watched(observed: Observed) -> Iterator[None]:
    """Note the peaks of threads and memory until the end."""
    stop, before = threading.Event(), resident()

    def watch() -> None:
        while not stop.wait(0.02):
            asking = sum(t.name.startswith("keyword") for t in threading.enumerate())
            observed.threads = max(observed.threads, asking)
            observed.memory = max(observed.memory, resident() - before)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def measure(search: HybridSearch, searches: int, rate: float) -> Observed:
    """Search at this rate. A search is timed from when it was due."""
    observed, start = Observed(), monotonic()

    def ask(text: str, due: float) -> None:
        try:
            missing = search.search(SearchQuery(query=text)).degraded
        except EngineUnavailable:
            missing = ("keyword", "semantic")
        observed.seconds.append(monotonic() - due)
        observed.degraded.append(missing)

    with watched(observed), ThreadPoolExecutor(64) as clients:
        asked = []
        for n, text in enumerate(islice(cycle(QUERIES), searches)):
            due = start + n / rate
            sleep(max(due - monotonic(), 0))
            asked.append(clients.submit(ask, text, due))
        for done in asked:
            done.result()
    return observed


def row(name: str, observed: Observed, server: Faulty | None, deadline: float) -> str:
    """Return a line of the table."""
    ms = 1000 * np.array(observed.seconds)
    median, p95 = np.percentile(ms, [50, 95])
    late = int((ms > 1000 * (deadline + GRACE)).sum())
    refused = observed.degraded.count(("keyword", "semantic"))
    alone = observed.degraded.count(("keyword",))
    requests = server.requests if server else 0
    return (
        f"{name:28} {len(ms) - refused:8} {alone:8} {refused:7} {median:7.0f} {p95:7.0f} "
        f"{ms.max():7.0f} {late:5} {observed.threads:8} {requests:9} {observed.memory:7.0f}"
    )


@click.command()
@click.option("--data", type=click.Path(path_type=Path, exists=True), required=True)
@click.option("--searches", default=200, show_default=True)
@click.option("--rate", default=10.0, show_default=True, help="searches a second")
@click.option("--deadline", default=1.0, show_default=True, help="seconds")
@click.option("--fault", "faults", type=click.Choice(list(FAULTS)), multiple=True)
def main(data: Path, searches: int, rate: float, deadline: float, faults: tuple[str, ...]) -> None:
    """Print a row for each fault, with the breaker and without."""
    settings = Settings.load(data=data, deadline=deadline)
    click.echo(
        f"{'':28} answered degraded refused  median    95 %     max  late  threads  requests"
        "      MB"
    )
    with closing(open_search(settings)) as whole:
        whole.warm()
        observed = measure(whole, searches, rate)
        click.echo(row("its own engine", observed, None, deadline))
        failures = breaker.FAILURES
        for name in faults or FAULTS:
            for label, bound in (("", failures), (", no breaker", searches * 10)):
                breaker.FAILURES = bound
                with faulty(FAULTS[name]) as server:
                    client = connect(server.url, None, settings.elasticsearch_timeout)
                    engines = replace(whole.engines, lexical=ElasticsearchEngine(client, "films"))
                    search = HybridSearch(
                        whole.generation,
                        whole.catalogue,
                        engines,
                        settings.depth,
                        whole.preferences,
                        deadline,
                    )
                    observed = measure(search, searches, rate)
                    search.retriever.close()
                    client.close()
                click.echo(row(f"{name}{label}", observed, server, deadline))


if __name__ == "__main__":
    main()
