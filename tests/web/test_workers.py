"""Several workers at one address: who accepts, who counts, who publishes, and what if one ends."""

import asyncio
import json
import os
import shutil
import signal
import socket
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from http.client import HTTPConnection
from pathlib import Path
from threading import Event
from urllib.parse import urlsplit

import pytest

from hybrid.serving.workers import Worker, WorkerTable
from hybrid.web.acceptor import Acceptor
from hybrid.web.server import listen
from tests.command import Index, free_port, run, run_code
from tests.event_loop import in_own_loop
from tests.eventually import eventually
from tests.web.http import Service
from tests.web.keys import key_in
from tests.web.production import Production, production
from tests.web.scrape import scrape

embedded = pytest.mark.parametrize("index", ["embedded"], indirect=True)
"""On one engine: nothing here depends on it."""

FILM = {"title": "The Lighthouse Machine", "description": "A keeper builds a machine that dreams."}


@dataclass(frozen=True)
class Crew:
    """A running service of two workers that accepts changes."""

    running: Production
    service: Service

    @property
    def processes(self) -> list[int]:
        """The ids of the processes that were started: two workers, and one that publishes."""
        return children(self.running.process.pid)


@pytest.fixture
def crew(index: Index, tmp_path: Path) -> Iterator[Crew]:
    """Give a service over a copy of the index."""
    data = tmp_path / "data"
    shutil.copytree(index.data, data)
    key = key_in(data, "write")
    variables = {"HYBRID_DATA": str(data), "HYBRID_WRITES": "on", "HYBRID_WORKERS": "2"}
    with production(**variables) as running:
        yield Crew(running, replace(running.service, key=key))


def children(process: int) -> list[int]:
    """Return the ids of the processes that a process has started, the oldest first."""
    return [int(c) for c in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


@embedded
def test_a_killed_worker_is_replaced(crew: Crew) -> None:
    """The service answers meanwhile, counts go on from where they were, and changes are published,
    whichever process is killed."""
    searches = 6
    assert [crew.service.get("/search", q="heist")[0] for _ in range(searches)] == [200] * searches
    for _ in range(3):
        first = crew.processes
        assert len(first) == 3
        os.kill(first[0], signal.SIGKILL)
        eventually(lambda old=first: len(set(crew.processes) - set(old)) == 1)  # type: ignore[misc]
        eventually(lambda: answers(crew.service))
        assert count(crew.service, "/search") == searches
        eventually(lambda: scrape(crew.service).value("hybrid_workers") == 2)
        assert crew.service.send("PUT", "/movies/77?wait=shown", FILM)[1]["shown"]
    assert crew.running.process.poll() is None


def answers(service: Service) -> bool:
    """Whether a request is answered: one that is sent to a worker that is killed is not."""
    with suppress(OSError):
        return service.get("/health/ready")[0] == 200
    return False


def count(service: Service, route: str) -> float:
    """Return how many requests of a route were answered with 200."""
    return scrape(service).value("hybrid_requests_total", route=route, method="GET", status="200")


@embedded
def test_changes_sent_to_several_workers_share_one_publisher(crew: Crew) -> None:
    """Each of sixteen at once is published, and what `wait=shown` promises holds at every worker:
    each request here has a connection of its own. Of those that add one film, one does."""

    def put(film: int) -> tuple[int, bool, set[int]]:
        status, answer = crew.service.send("PUT", f"/movies/{film}?wait=shown", FILM)
        return status, answer["shown"], {crew.service.get(f"/movies/{film}")[0] for _ in range(4)}

    def add(_: int) -> int:
        return crew.service.send("PUT", "/movies/500", FILM, If_None_Match="*")[0]

    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(put, range(900, 916))) == [(200, True, {200})] * 16
        assert Counter(pool.map(add, range(8))) == {200: 1, 412: 7}
    status, answer = crew.service.send("PUT", "/movies/901", {"title": ""})
    assert (status, list(answer["error"]["fields"])) == (422, ["title"])
    assert crew.service.send("DELETE", "/movies/999999")[0] == 404


@embedded
def test_no_request_is_lost_when_the_service_stops(index: Index) -> None:
    """Clients that ask without a pause, over connections that they keep, get whole answers until
    none is accepted any more."""
    with production(**index.variables, HYBRID_WORKERS="2") as running:
        address = urlsplit(running.service.url).netloc
        begun = [Event() for _ in range(6)]

        def ask(event: Event) -> set[int]:
            seen: set[int] = set()
            while True:
                with closing(HTTPConnection(address, timeout=60)) as connection:
                    try:
                        connection.connect()
                    except ConnectionRefusedError:
                        return seen
                    leaves = False
                    while not leaves:
                        connection.request("GET", "/search?q=heist")
                        answer = connection.getresponse()
                        assert json.loads(answer.read())["hits"]
                        seen.add(answer.status)
                        leaves = answer.will_close
                        event.set()

        with ThreadPoolExecutor(len(begun)) as pool:
            asked = [pool.submit(ask, event) for event in begun]
            assert all(event.wait(60) for event in begun)
            running.process.send_signal(signal.SIGTERM)
            assert [one.result(60) for one in asked] == [{200}] * len(begun)
        assert running.process.wait(60) == 0


@embedded
def test_workers_end_with_the_process_that_started_them(index: Index, tmp_path: Path) -> None:
    """However it ends: what nobody supervises must not keep the address."""
    variables = index.variables | {"HYBRID_WORKERS": "2", "TMPDIR": str(tmp_path)}
    with suppress(AssertionError), production(**variables) as running:
        workers = children(running.process.pid)
        running.process.kill()  # which is no good end
        eventually(lambda: not any(Path(f"/proc/{worker}").exists() for worker in workers))
    listen("127.0.0.1", urlsplit(running.service.url).port or 0).close()


@embedded
def test_what_keeps_workers_from_starting_is_one_line(index: Index, tmp_path: Path) -> None:
    """A taken port, and a file that only workers read."""
    data = tmp_path / "data"
    shutil.copytree(index.data, data)
    variables = {"HYBRID_DATA": str(data), "HYBRID_WORKERS": "2"}
    port = free_port()
    with closing(listen("127.0.0.1", port)):
        done = run("hybrid", "serve", "--port", str(port), **variables)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert f"127.0.0.1:{port} is taken: choose another with --port" in done.stderr
    (data / "ranking.toml").write_text("alpha = 7")
    done = run("hybrid", "serve", "--port", str(port), **variables)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert done.stderr.startswith("Error: ")
    assert "ranking.toml" in done.stderr


@pytest.mark.parametrize("workers", ["0", "257", "many"])
def test_a_wrong_number_of_workers_is_refused(workers: str) -> None:
    """By the name of the setting, before anything starts."""
    done = run("hybrid", "serve", "--workers", workers)
    assert done.returncode == 1
    assert "HYBRID_WORKERS" in done.stderr


def test_what_starts_the_workers_loads_nothing_that_computes() -> None:
    """It is forked: libraries with threads would not survive that, and it stays small."""
    run_code(
        "import sys, hybrid.cli, hybrid.web.server, hybrid.serving.workers\n"
        "import hybrid.serving.remote_writes\n"
        "heavy = {'numpy', 'faiss', 'onnxruntime', 'tantivy', 'flask', 'prometheus_client'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )


def test_connections_are_spread_evenly() -> None:
    """Eight clients that arrive at once are four for each of two workers, and one that comes when
    others have left goes to the worker that has fewest."""

    async def spread() -> list[int]:
        listener = listen("127.0.0.1", free_port())
        table = WorkerTable(2)
        acceptors = [
            Acceptor(listener.dup(), Worker(number, table), asyncio.Protocol) for number in range(2)
        ]
        for acceptor in acceptors:
            acceptor.start()
        clients = [socket.create_connection(listener.getsockname()) for _ in range(8)]
        while sum(table.connections) < len(clients):
            await asyncio.sleep(0.01)
        found = [*table.connections]
        table.connections[1] -= 2
        clients += [socket.create_connection(listener.getsockname()) for _ in range(2)]
        while sum(table.connections) < len(clients) - 2:
            await asyncio.sleep(0.01)
        for acceptor in acceptors:
            acceptor.stop()
        for one in (listener, *clients):
            one.close()
        return [*found, *table.connections]

    assert in_own_loop(spread()) == [4, 4, 4, 4]
