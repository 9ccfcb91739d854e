"""What becomes of a service that gets more requests than it can answer.

    python -m benchmarks.overload http://127.0.0.1:8000 QUERIES.jsonl ... [--path /search]

First as many clients as the service has threads ask one request after another: the peak. Then
requests arrive at a multiple of the peak, whether others are answered or not, and last at half the
peak. Answered requests a second and as a share of the peak, milliseconds of answers, refusals (503)
and the live probe, and how many failed otherwise.
"""

import asyncio
import random
from collections.abc import Callable, Coroutine, Sequence
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


@dataclass
class Outcomes:
    """Seconds of answers, of refusals and of probes, and the number of other outcomes."""

    answers: list[float] = field(default_factory=list)
    refusals: list[float] = field(default_factory=list)
    probes: list[float] = field(default_factory=list)
    failed: int = 0


Ask = Callable[[str, list[float], Outcomes], Coroutine[None, None, None]]


def asking(url: str) -> Ask:
    """Return what asks for a path on a connection of its own, and notes the outcome."""
    address = urlsplit(url)

    async def ask(path: str, answers: list[float], outcomes: Outcomes) -> None:
        start = monotonic()
        try:
            async with asyncio.timeout(PATIENCE):
                status = await status_of(address.hostname or "", address.port or 80, path)
        except (OSError, TimeoutError, ValueError, IndexError):
            outcomes.failed += 1
            return
        seconds = monotonic() - start
        if status == 200:
            answers.append(seconds)
        elif status == 503:
            outcomes.refusals.append(seconds)
        else:
            outcomes.failed += 1

    return ask


async def status_of(host: str, port: int, path: str) -> int:
    """Return the status of a whole answer. Raises OSError, ValueError or IndexError without one."""
    reader, writer = await asyncio.open_connection(host, port)
    try:
        writer.write(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        answer = await reader.read(-1)
        return int(answer.split(b" ", 2)[1])
    finally:
        writer.close()


async def closed_loop(ask: Ask, paths: Sequence[str], seconds: float) -> Outcomes:
    """Ask one request after another, with CLIENTS clients."""
    outcomes, numbers, end = Outcomes(), count(), monotonic() + seconds

    async def client() -> None:
        while monotonic() < end:
            await ask(paths[next(numbers) % len(paths)], outcomes.answers, outcomes)

    await asyncio.gather(*(client() for _ in range(CLIENTS)))
    return outcomes


async def open_loop(ask: Ask, paths: Sequence[str], rate: float, seconds: float) -> Outcomes:
    """Send `rate` requests a second, and ten probes, without waiting for answers."""
    outcomes, start = Outcomes(), monotonic()
    tasks: list[asyncio.Task[None]] = []
    for number in range(int(rate * seconds)):
        await asyncio.sleep(start + number / rate - monotonic())
        tasks.append(
            asyncio.create_task(ask(paths[number % len(paths)], outcomes.answers, outcomes))
        )
        if number % max(1, int(rate * PROBE_EVERY)) == 0:
            tasks.append(asyncio.create_task(ask("/health/live", outcomes.probes, outcomes)))
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
    ask = asking(url)
    await closed_loop(ask, paths, seconds / 4)  # warm
    found = await closed_loop(ask, paths, seconds)
    peak = len(found.answers) / seconds
    three = ("answers", "refusals", "probes")
    click.echo(f"{'':22}{'a second':>16}" + "".join(f"{name:>24}" for name in three))
    click.echo(f"{'':22}{'':16}" + f"{'p50':>8}{'p95':>8}{'number':>8}" * 3 + f"{'failed':>8}")
    click.echo(line("peak", found, seconds, peak))
    found = await open_loop(ask, paths, peak * times, seconds)
    click.echo(line(f"{times:g} times the peak", found, seconds, peak))
    await asyncio.sleep(1)
    found = await open_loop(ask, paths, peak / 2, seconds / 2)
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
