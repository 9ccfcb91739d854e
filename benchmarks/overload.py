"""What becomes of a service that gets more requests than it can answer.

    python -m benchmarks.overload http://127.0.0.1:8000 QUERIES.jsonl ... [--path /search]

First eight clients ask one request after another: the peak. Then requests arrive at a multiple of
the peak, whether others are answered or not, and last at half the peak. Connections are kept and
used again. Answered requests a second and as a share of the peak, milliseconds of answers, refusals
(503) and the live probe, and how many failed otherwise.
"""

import asyncio
import random
from collections.abc import Sequence
from itertools import cycle
from pathlib import Path
from urllib.parse import urlencode

import click
import numpy as np

from benchmarks.load import REFUSED, Answer, Client, check_local, closed_loop, open_loop, regular
from benchmarks.texts import read_texts

CLIENTS = 8
"""Clients whose requests reach the peak."""

PROBES = 10.0
"""Probes a second."""


async def overload(
    client: Client, paths: Sequence[str], rate: float, seconds: float
) -> tuple[list[Answer], list[Answer]]:
    """Send `rate` requests a second, and the probes; return the answers of both."""
    answers, probes = await asyncio.gather(
        open_loop(client, cycle(paths), regular(rate, seconds)),
        open_loop(client, cycle(["/health/live"]), regular(PROBES, seconds)),
    )
    return answers, probes


def line(
    name: str, answers: Sequence[Answer], probes: Sequence[Answer], seconds: float, peak: float
) -> str:
    """Return a row of the table."""
    times = [
        [each.seconds for each in answers if each.status == status] for status in (200, REFUSED)
    ]
    rate = len(times[0]) / seconds
    failed = len(answers) - len(times[0]) - len(times[1])
    columns = [f"{name:22}{rate:8.1f}{rate / peak:8.0%}"]
    for found in (*times, [each.seconds for each in probes if each.status == 200]):
        p50, p95 = np.percentile(found, [50, 95]) * 1000 if found else (np.nan, np.nan)
        columns.append(f"{p50:8.0f}{p95:8.0f}{len(found):8}")
    return "".join(columns) + f"{failed:8}"


async def measure(url: str, paths: Sequence[str], times: float, seconds: float) -> None:
    """Print the table."""
    client = Client(url)
    await closed_loop(client, cycle(paths), CLIENTS, seconds / 4)  # warm
    answers = await closed_loop(client, cycle(paths), CLIENTS, seconds)
    peak = sum(answer.status == 200 for answer in answers) / seconds
    three = ("answers", "refusals", "probes")
    click.echo(f"{'':22}{'a second':>16}" + "".join(f"{name:>24}" for name in three))
    click.echo(f"{'':22}{'':16}" + f"{'p50':>8}{'p95':>8}{'number':>8}" * 3 + f"{'failed':>8}")
    click.echo(line("peak", answers, [], seconds, peak))
    found = await overload(client, paths, peak * times, seconds)
    click.echo(line(f"{times:g} times the peak", *found, seconds, peak))
    await asyncio.sleep(1)
    found = await overload(client, paths, peak / 2, seconds / 2)
    click.echo(line("half the peak, after", *found, seconds / 2, peak))


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
    check_local(url)
    paths = [f"{path}?{urlencode({'q': text, 'explain': explain})}" for text in read_texts(queries)]
    random.Random(0).shuffle(paths)
    asyncio.run(measure(url, paths, times, seconds))


if __name__ == "__main__":
    main()
