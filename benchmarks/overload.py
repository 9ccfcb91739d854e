"""What becomes of a service that gets more requests than it can answer.

    python -m benchmarks.overload http://127.0.0.1:8000 QUERIES.jsonl ... [--path /search]

First eight clients ask one request after another: the peak. Then requests arrive at a multiple of
the peak, whether others are answered or not, and last at half the peak. Connections are kept and
used again. Answered requests a second and as a share of the peak, milliseconds of answers, refusals
(503) and the live probe, and how many failed otherwise.
"""

import asyncio
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from time import monotonic
from urllib.parse import urlencode, urlsplit

import click
import numpy as np

from hybrid.evaluation.formats import read_judgements

CLIENTS = 8
"""Clients whose requests reach the peak."""

PROBE_EVERY = 0.1
PATIENCE = 30.0
"""Seconds after which a request counts as failed."""


LENGTH = re.compile(rb"(?i)content-length: (\d+)")


@dataclass
class Outcomes:
    """Seconds of answers, of refusals and of probes, and the number of other outcomes."""

    answers: list[float] = field(default_factory=list)
    refusals: list[float] = field(default_factory=list)
    probes: list[float] = field(default_factory=list)
    failed: int = 0


class Connection(asyncio.Protocol):
    """A connection that carries one request at a time."""

    def __init__(self) -> None:
        self._received = bytearray()
        self._answer: asyncio.Future[int] | None = None
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep what requests are written to."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101, for the type checker
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """Take more of an answer; give its status once it is whole."""
        self._received += data
        head, blank, body = self._received.partition(b"\r\n\r\n")
        if blank:
            length = int(LENGTH.search(head)[1])  # type: ignore[index]
            if len(body) >= length and self._answer is not None and not self._answer.done():
                self._answer.set_result(int(head[9:12]))
                self._received.clear()

    def connection_lost(self, _: Exception | None) -> None:
        """Tell whoever waits that no answer will come."""
        self.transport = None
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(ConnectionResetError())

    async def get(self, path: str) -> int:
        """Return the status of the answer. Raises OSError without one."""
        if self.transport is None:
            raise ConnectionResetError
        self._answer = asyncio.get_running_loop().create_future()
        self.transport.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
        return await self._answer


class Client:
    """Asks over connections that are kept for the next request."""

    def __init__(self, url: str) -> None:
        self._url = urlsplit(url)
        self._idle: list[Connection] = []

    async def ask(self, path: str, answers: list[float], outcomes: Outcomes) -> None:
        """Ask for a path and note the outcome."""
        start = monotonic()
        try:
            async with asyncio.timeout(PATIENCE):
                connection = await self._connection()
                status = await connection.get(path)
        except (OSError, TimeoutError):
            outcomes.failed += 1
            return
        self._idle.append(connection)
        seconds = monotonic() - start
        if status == 200:
            answers.append(seconds)
        elif status == 503:
            outcomes.refusals.append(seconds)
        else:
            outcomes.failed += 1

    async def _connection(self) -> Connection:
        while self._idle:
            connection = self._idle.pop()
            if connection.transport is not None:
                return connection
        loop = asyncio.get_running_loop()
        host, port = self._url.hostname or "", self._url.port or 80
        _, connection = await loop.create_connection(Connection, host, port)
        return connection


async def closed_loop(client: Client, paths: Sequence[str], seconds: float) -> Outcomes:
    """Ask one request after another, with CLIENTS clients."""
    outcomes, numbers, end = Outcomes(), count(), monotonic() + seconds

    async def one_after_another() -> None:
        while monotonic() < end:
            await client.ask(paths[next(numbers) % len(paths)], outcomes.answers, outcomes)

    await asyncio.gather(*(one_after_another() for _ in range(CLIENTS)))
    return outcomes


async def open_loop(client: Client, paths: Sequence[str], rate: float, seconds: float) -> Outcomes:
    """Send `rate` requests a second, and ten probes, without waiting for answers."""
    outcomes, start = Outcomes(), monotonic()
    tasks: list[asyncio.Task[None]] = []
    for number in range(int(rate * seconds)):
        await asyncio.sleep(start + number / rate - monotonic())
        path = paths[number % len(paths)]
        tasks.append(asyncio.create_task(client.ask(path, outcomes.answers, outcomes)))
        if number % max(1, int(rate * PROBE_EVERY)) == 0:
            tasks.append(asyncio.create_task(client.ask("/health/live", outcomes.probes, outcomes)))
    await asyncio.gather(*tasks)
    return outcomes


def line(name: str, outcomes: Outcomes, seconds: float, peak: float) -> str:
    """Return a row of the table."""
    rate = len(outcomes.answers) / seconds
    columns = [f"{name:22}{rate:8.1f}{rate / peak:8.0%}"]
    for found in (outcomes.answers, outcomes.refusals, outcomes.probes):
        p50, p95 = np.percentile(found, [50, 95]) * 1000 if found else (np.nan, np.nan)
        columns.append(f"{p50:8.0f}{p95:8.0f}{len(found):8}")
    return "".join(columns) + f"{outcomes.failed:8}"


async def measure(url: str, paths: Sequence[str], times: float, seconds: float) -> None:
    """Print the table."""
    client = Client(url)
    await closed_loop(client, paths, seconds / 4)  # warm
    found = await closed_loop(client, paths, seconds)
    peak = len(found.answers) / seconds
    three = ("answers", "refusals", "probes")
    click.echo(f"{'':22}{'a second':>16}" + "".join(f"{name:>24}" for name in three))
    click.echo(f"{'':22}{'':16}" + f"{'p50':>8}{'p95':>8}{'number':>8}" * 3 + f"{'failed':>8}")
    click.echo(line("peak", found, seconds, peak))
    found = await open_loop(client, paths, peak * times, seconds)
    click.echo(line(f"{times:g} times the peak", found, seconds, peak))
    await asyncio.sleep(1)
    found = await open_loop(client, paths, peak / 2, seconds / 2)
    click.echo(line("half the peak, after", found, seconds / 2, peak))


@click.command()
@click.argument("url")
@click.argument("queries", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--path", default="/search", show_default=True, help="/search or /compare")
@click.option("--explain", default="none", show_default=True, help="none, summary or full")
@click.option("--times", default=10.0, show_default=True, help="multiple of the peak")
@click.option("--seconds", default=20.0, show_default=True, help="of each stage")
def main(
    url: str, queries: tuple[Path, ...], path: str, explain: str, times: float, seconds: float
) -> None:
    """Measure the service at URL, which must be of this machine."""
    if urlsplit(url).hostname not in ("127.0.0.1", "localhost", "::1"):
        raise click.UsageError("a service of this machine only")
    texts = [query.text for file in queries for query in read_judgements(file).queries]
    paths = [f"{path}?{urlencode({'q': text, 'explain': explain})}" for text in texts]
    random.Random(0).shuffle(paths)
    asyncio.run(measure(url, paths, times, seconds))


if __name__ == "__main__":
    main()
