"""What searches and probes notice of clients that stall, and how long such clients hold on.

    python -m benchmarks.stalled_clients http://127.0.0.1:8000 [--clients 300] [--seconds 25]

Nothing stalls in the first row. In each of the others so many clients stall in one way, for so many
seconds; meanwhile two clients search and one asks /health/live ten times a second. Milliseconds,
failures (an error, or no answer in five seconds), and seconds until the first and the last of the
stalled clients was cut, with how many were.
"""

import select
import socket
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import cycle
from threading import Event
from time import monotonic
from typing import NamedTuple
from urllib.parse import urlsplit

import click
import numpy as np
import urllib3

PATIENCE = 5.0
"""Seconds after which a search or a probe counts as failed."""

PROBE_EVERY = 0.1

HEAD = b"POST /search HTTP/1.1\r\nHost: localhost\r\n"
LARGE = b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n"
QUERIES = ("masterless swordsmen", "heist", "a boy and his dog", "war in space", "the sea")


class Stall(NamedTuple):
    """A way to stall: what is sent at once, what then each second, and whether it is read."""

    first: bytes
    drip: bytes = b""
    reads: bool = True
    most: int = 100_000
    """Clients that stall like this: few where each must be sent more than the system buffers."""


STALLS = {
    "nobody": None,
    "one byte": Stall(b"G"),
    "header, a byte a second": Stall(b"GET /search?q=heist HTTP/1.1\r\nX: ", b"x"),
    "body, a byte a second": Stall(HEAD + b"Content-Length: 60000\r\n\r\n", b" "),
    "chunks, a byte a second": Stall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
    "never reads": Stall(LARGE * 100, reads=False, most=20),
    "blank lines": Stall(b"\r\n", b"\r\n"),
    "idle": Stall(b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n"),
}


@dataclass
class Times:
    """Seconds that answers took, and how many did not come."""

    seconds: list[float] = field(default_factory=list)
    failed: int = 0

    def __str__(self) -> str:
        if not self.seconds:
            return f"{'-':>6} {'-':>6} {'-':>6} {self.failed:>6}"
        p50, p95 = np.percentile(self.seconds, [50, 95]) * 1000
        return f"{p50:6.1f} {p95:6.1f} {max(self.seconds) * 1000:6.0f} {self.failed:>6}"


@click.command()
@click.argument("url")
@click.option("--clients", default=300, show_default=True)
@click.option("--seconds", default=25.0, show_default=True)
@click.option("--only", multiple=True, type=click.Choice(list(STALLS)))
def main(url: str, clients: int, seconds: float, only: Sequence[str]) -> None:
    """Measure the service at URL, which must be of this machine."""
    if urlsplit(url).hostname not in ("127.0.0.1", "localhost", "::1"):
        raise click.UsageError("a service of this machine only")
    click.echo(f"{'':24}  {'search':^27}   {'probe':^27}   cut after")
    click.echo(f"{'':24}  {'p50    p95    max failed':>27}   {'p50    p95    max failed':>27}")
    for name in only or STALLS:
        stall, over = STALLS[name], Event()
        with ThreadPoolExecutor(3) as pool, ExitStack() as opened:
            stalled = list(connections(url, clients, stall, opened)) if stall else []
            searches = [pool.submit(ask, url, search_paths(n), over, 0.0) for n in range(2)]
            probes = pool.submit(ask, url, cycle(["/health/live"]), over, PROBE_EVERY)
            try:
                cut = hold(stalled, stall, seconds, over)
            finally:
                over.set()
            found = [search.result() for search in searches]
            search = Times(
                [one for times in found for one in times.seconds], sum(one.failed for one in found)
            )
            click.echo(f"{name:24}  {search}   {probes.result()}   {span(cut, len(stalled))}")


def search_paths(start: int) -> Iterator[str]:
    """Yield addresses of searches without end."""
    for number in cycle(range(start, start + len(QUERIES))):
        yield "/search?q=" + QUERIES[number % len(QUERIES)].replace(" ", "+")


def connections(url: str, count: int, stall: Stall, opened: ExitStack) -> Iterator[socket.socket]:
    """Yield so many clients that have sent what they send at once."""
    parts = urlsplit(url)
    for _ in range(min(count, stall.most)):
        one = opened.enter_context(socket.socket())
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        one.settimeout(PATIENCE)
        one.connect((parts.hostname, parts.port))
        one.setblocking(False)
        one.send(stall.first)
        yield one


def ask(url: str, paths: Iterator[str], over: Event, pause: float) -> Times:
    """Ask one path after the other, on a connection of its own each, until it is over."""
    times = Times()
    while not over.wait(pause):
        with urllib3.PoolManager(retries=False, timeout=PATIENCE) as pool:
            start = monotonic()
            try:
                answer = pool.request("GET", url + next(paths), headers={"Connection": "close"})
            except urllib3.exceptions.HTTPError:
                times.failed += 1
                continue
        if answer.status == 200:
            times.seconds.append(monotonic() - start)
        else:
            times.failed += 1
    return times


def hold(
    stalled: list[socket.socket], stall: Stall | None, seconds: float, over: Event
) -> list[float]:
    """Stall for so long. Return after how many seconds each client was cut that was."""
    poll, start, cut = select.poll(), monotonic(), list[float]()
    open_ones = {one.fileno(): one for one in stalled}
    for number in open_ones:
        poll.register(number, select.POLLIN if stall and stall.reads else 0)
    drips = 1
    while (now := monotonic() - start) < seconds:
        if stall and stall.drip and now > drips:
            drips += 1
            for one in open_ones.values():
                drip(one, stall.drip)
        for number, events in poll.poll(50) if open_ones else [(0, 0)] * over.wait(0.05):
            if ended(open_ones[number], events):
                poll.unregister(number)
                del open_ones[number]
                cut.append(monotonic() - start)
    return cut


def drip(client: socket.socket, text: bytes) -> None:
    """Send a little more, if the server still takes it: whether it does, the poll tells."""
    try:
        client.send(text)
    except OSError:
        return


def ended(client: socket.socket, events: int) -> bool:
    """Whether the server has closed a connection on which something happened."""
    if not events & select.POLLIN:
        return True
    try:
        return not client.recv(65536)
    except OSError:
        return True


def span(cut: list[float], stalled: int) -> str:
    """Say how many were cut, and after how long."""
    return f"{f'{min(cut):.1f} to {max(cut):.1f} s: ' if cut else ''}{len(cut)} of {stalled}"


if __name__ == "__main__":
    main()
