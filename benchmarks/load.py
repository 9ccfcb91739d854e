"""Load on a service of this machine: clients that keep their connections, in closed and open loop.

All clients are in one thread of the caller's process; an answer costs it some .2 ms of CPU, and its
body is not parsed meanwhile.
"""

import asyncio
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from time import monotonic
from urllib.parse import urlsplit

import click

PATIENCE = 30.0
"""Seconds after which a request counts as failed."""

REFUSED = 503
"""Status of a refusal."""

PAUSE = 1.0
"""Seconds after which a client that was refused asks again: the least that Retry-After says."""

LENGTH = re.compile(rb"(?i)content-length: (\d+)")


@dataclass(frozen=True)
class Answer:
    """Status and body of an answer, and the seconds until it was there; status 0 if none came."""

    status: int
    body: bytes
    seconds: float


class Connection(asyncio.Protocol):
    """A connection that carries one request at a time."""

    def __init__(self) -> None:
        self._received = bytearray()
        self._answer: asyncio.Future[tuple[int, bytes]] | None = None
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep what requests are written to."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101, for the type checker
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """Take more of an answer; give status and body once it is whole."""
        self._received += data
        head, blank, body = self._received.partition(b"\r\n\r\n")
        if blank:
            length = int(LENGTH.search(head)[1])  # type: ignore[index]
            if len(body) >= length and self._answer is not None and not self._answer.done():
                self._answer.set_result((int(head[9:12]), bytes(body)))
                self._received.clear()

    def connection_lost(self, _: Exception | None) -> None:
        """Tell whoever waits that no answer will come."""
        self.transport = None
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(ConnectionResetError())

    async def get(self, path: str) -> tuple[int, bytes]:
        """Return status and body of the answer. Raises OSError without one."""
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

    async def ask(self, path: str, start: float | None = None) -> Answer:
        """Ask for a path; the seconds count from `start`, by default from now."""
        start = monotonic() if start is None else start
        try:
            async with asyncio.timeout(PATIENCE):
                connection = await self._connection()
                status, body = await connection.get(path)
        except (OSError, TimeoutError):
            return Answer(0, b"", monotonic() - start)
        seconds = monotonic() - start
        self._idle.append(connection)
        return Answer(status, body, seconds)

    def close(self) -> None:
        """Close the connections."""
        for connection in self._idle:
            if connection.transport is not None:
                connection.transport.close()
        self._idle.clear()

    async def _connection(self) -> Connection:
        while self._idle:
            connection = self._idle.pop()
            if connection.transport is not None:
                return connection
        loop = asyncio.get_running_loop()
        host, port = self._url.hostname or "", self._url.port or 80
        _, connection = await loop.create_connection(Connection, host, port)
        return connection


async def closed_loop(
    client: Client, paths: Iterator[str], clients: int, seconds: float = float("inf")
) -> list[Answer]:
    """Let each of the `clients` ask one request after another, until the time or the paths end.

    One that is refused pauses, as the service tells it to.
    """
    answers: list[Answer] = []
    end = monotonic() + seconds

    async def one_after_another() -> None:
        for path in paths:
            answer = await client.ask(path)
            answers.append(answer)
            if monotonic() >= end:
                return
            if answer.status == REFUSED:
                await asyncio.sleep(PAUSE)

    await asyncio.gather(*(one_after_another() for _ in range(clients)))
    return answers


async def open_loop(
    client: Client, paths: Iterator[str], arrivals: Sequence[float]
) -> list[Answer]:
    """Send a request at each of these seconds from now, whether others are answered or not.

    An answer is timed from when its request was due.
    """
    start = monotonic()
    tasks = []
    for due, path in zip(arrivals, paths, strict=False):
        await asyncio.sleep(start + due - monotonic())
        tasks.append(asyncio.create_task(client.ask(path, start + due)))
    return await asyncio.gather(*tasks)


def regular(rate: float, seconds: float) -> list[float]:
    """Return arrivals at this rate a second, in equal intervals."""
    return [number / rate for number in range(int(rate * seconds))]


def poisson(rate: float, seconds: float, seed: int = 0) -> list[float]:
    """Return the arrivals of a Poisson process: independent of each other, at this mean rate."""
    chance = random.Random(seed)
    arrivals: list[float] = []
    now = chance.expovariate(rate)
    while now < seconds:
        arrivals.append(now)
        now += chance.expovariate(rate)
    return arrivals


def check_local(url: str) -> None:
    """Raise UsageError unless the URL is of this machine."""
    if urlsplit(url).hostname not in ("127.0.0.1", "localhost", "::1"):
        raise click.UsageError("a service of this machine only")
