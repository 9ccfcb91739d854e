"""The production server over a built index: what it reads, how it stops."""

import shutil
import signal
import sys
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from select import select
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest

from hybrid.serving.live_search import LiveSearch
from hybrid.serving.writes import AT_ONCE
from hybrid.settings import Settings
from hybrid.storage.catalogue import Catalogue
from hybrid.storage.generation import open_current
from hybrid.web.admission import Lanes
from hybrid.web.worker import application
from indexer.generations.lock import writer_lock
from tests.command import Index
from tests.eventually import eventually
from tests.web.http import Service, received
from tests.web.keys import key_in
from tests.web.production import production

embedded = pytest.mark.parametrize("index", ["embedded"], indirect=True)
"""On one engine: nothing here depends on it."""


def test_an_address_is_read_up_to_a_bound(service: Service) -> None:
    """The longest query fits into an address; one without end is refused before it is read."""
    status, answer = service.get("/search", q="\U0001f9ff" * 1000)
    assert status == 200
    assert len(answer["query"]["query"]) == 1000
    status, answer = service.get("/search", q="x" * 100_000)
    assert (status, answer["error"]["code"]) == (414, "url_too_long")


@embedded
@pytest.mark.parametrize("name", ["SCRIPT_NAME", "PATH_INFO"])
def test_no_header_moves_the_service(service: Service, name: str) -> None:
    """A path comes from the first line of a request alone."""
    head = f"GET /search?q=heist HTTP/1.1\r\nHost: localhost\r\n{name}: /elsewhere\r\n\r\n"
    status, answer = received(service.connect(head.encode()))
    assert (status, answer["query"]["query"]) == (200, "heist")


@embedded
def test_searches_do_not_wait_for_changes(service: Service, index: Index) -> None:
    """While as many changes wait as the service takes, a search is answered before any of them."""
    head = f"HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {service.key}\r\n\r\n"
    delete = b"DELETE /movies/%d " + head.encode()
    with writer_lock(index.data, patience=30):
        waiting = [service.connect(delete % (900_000 + n)) for n in range(AT_ONCE)]
        status, _ = service.get("/search", q="heist")
        assert status == 200
        assert select(waiting, [], [], 0)[0] == []
    assert [received(one)[0] for one in waiting] == [404] * AT_ONCE


@embedded
def test_a_change_under_way_is_published_before_the_server_stops(
    index: Index, tmp_path: Path
) -> None:
    """A change that waits when SIGTERM comes is answered, and is there afterwards."""
    data = tmp_path / "data"
    shutil.copytree(index.data, data)
    key = key_in(data, "write")
    with production(HYBRID_DATA=str(data), HYBRID_WRITES="on") as running:
        service, process = running.service, running.process
        with writer_lock(data, patience=30):
            change = service.connect(put(900_001, b'{"title": "The Lighthouse Machine"}', key))
            with closing(HTTPConnection(urlsplit(service.url).netloc, timeout=60)) as other:
                # Connections are taken in their order: this one is answered, so that one is taken.
                assert not stops(other)
                process.send_signal(signal.SIGTERM)
                eventually(lambda: stops(other), 30)
            assert select([change], [], [], 0)[0] == []
        status, answer = received(change)
        assert (status, answer["change"]) == (200, "added")
        assert process.wait(30) == 0
    generation = open_current(data)
    assert generation.manifest.name == answer["generation"]
    catalogue = Catalogue(generation.folder)
    assert catalogue.films([900_001])[900_001].movie.title == "The Lighthouse Machine"
    catalogue.close()


def put(film: int, body: bytes, key: str) -> bytes:
    """Return the request that puts a film."""
    head = f"PUT /movies/{film} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}"
    return f"{head}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def stops(connection: HTTPConnection) -> bool:
    """Whether the server answers over a connection, but for the last time, or not any more."""
    try:
        connection.request("GET", "/health/live")
        answer = connection.getresponse()
        answer.read()
    except ConnectionError:
        return True
    return answer.will_close


def test_a_server_that_ends_finishes_the_changes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """What takes the changes is closed, which publishes those that wait, and then what is read."""
    closed: list[str] = []

    def opened(name: str) -> SimpleNamespace:
        live = LiveSearch(SimpleNamespace(generation="1-x"))  # type: ignore[arg-type]
        return SimpleNamespace(start=int, live=live, close=lambda: closed.append(name))

    monkeypatch.setattr("hybrid.web.worker.follow", lambda *_: opened("follower"))
    monkeypatch.setattr("hybrid.web.worker.open_writes", lambda *_: opened("writes"))
    monkeypatch.setattr(sys, "setswitchinterval", lambda _: None)
    monkeypatch.setattr(Lanes, "close", lambda _: closed.append("requests"))
    with application(Settings(writes="on")):
        assert closed == []
    assert closed == ["requests", "writes", "follower"]


@embedded
@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_either_signal_stops_the_server(index: Index, stop: signal.Signals) -> None:
    """Ctrl-C and SIGTERM end the process without an error."""
    with production(**index.variables) as running:
        running.process.send_signal(stop)
        assert running.process.wait(30) == 0
