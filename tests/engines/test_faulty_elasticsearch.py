"""A search is answered by its deadline whatever the server in the place of Elasticsearch does."""

import gzip
import io
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from time import monotonic

import numpy as np
import pytest

from hybrid.engines.deadline import Deadline
from hybrid.engines.lexical.elasticsearch import ElasticsearchEngine, connect
from hybrid.engines.lexical.elasticsearch_node import MAX_ANSWER, _BoundedStream
from hybrid.errors import EngineUnavailable
from hybrid.query import Filters, SearchQuery
from hybrid.query_language.conditions import Phrase
from hybrid.retrieval.retriever import MAX_KEYWORD_REQUESTS
from hybrid.search import HybridSearch
from hybrid.web.app import create_app
from tests import corpus
from tests.eventually import eventually
from tests.faulty_elasticsearch import FAULTS, HEAD, Faulty, faulty, hang
from tests.small import open_small
from tests.web.http import serving

FILMS = corpus.films(20)
IDS = np.array([1, 4], np.int64)
PHRASES = [Phrase(("captain", "mirror"))]

SECONDS = 0.6
"""The deadline of a search here, longer than the server that drips takes for a byte."""

LATE = 10.0
"""Seconds after which an answer did not come because of the deadline, on a machine however busy."""

ASKED: dict[str, Callable[[ElasticsearchEngine, Deadline], object]] = {
    "search": lambda engine, until: engine.search("captain", Filters(), 10, until),
    "search with phrases": lambda engine, until: engine.search_with_phrases(
        "captain", Filters(), 10, PHRASES, until
    ),
    "phrases": lambda engine, until: engine.have_phrases(PHRASES, IDS, until),
    "score": lambda engine, until: engine.score("captain", IDS, until),
    "explain": lambda engine, until: engine.explain("captain", IDS, until),
    "attainable": lambda engine, until: engine.attainable("captain", until),
}


@contextmanager
def engine_of(server: Faulty, timeout: float = 60) -> Iterator[ElasticsearchEngine]:
    """Give an engine that asks this server."""
    client = connect(server.url, None, timeout)
    yield ElasticsearchEngine(client, "films")
    client.close()


@pytest.fixture(params=FAULTS)
def server(request: pytest.FixtureRequest) -> Iterator[Faulty]:
    """Give a server of each fault in turn."""
    with faulty(FAULTS[request.param]) as started:
        yield started


@pytest.mark.parametrize("asked", ASKED)
def test_every_request_ends_at_the_deadline(server: Faulty, asked: str) -> None:
    """The thread that asks is free then: nobody has to wait for it, or can end it."""
    with engine_of(server) as engine:
        began = monotonic()
        with pytest.raises(EngineUnavailable):
            ASKED[asked](engine, Deadline.after(SECONDS))
        assert monotonic() < began + LATE
        assert server.sent < 4 * MAX_ANSWER  # the buffers of the system hold some more


def test_a_request_without_a_deadline_ends_at_the_timeout(server: Faulty) -> None:
    """The timeout of builds and checks is total too."""
    with engine_of(server, timeout=SECONDS) as engine:
        began = monotonic()
        with pytest.raises(EngineUnavailable):
            engine.check()
        assert monotonic() < began + LATE


def keyword_threads() -> set[threading.Thread]:
    """Return the threads of this process that ask keyword engines."""
    return {thread for thread in threading.enumerate() if thread.name.startswith("keyword")}


def test_searches_are_answered_by_meaning(server: Faulty, tmp_path: Path) -> None:
    """Ten searches of each: by the deadline, with films, saying which engine is missing."""
    with engine_of(server) as engine:
        search = open_small(tmp_path, FILMS, engine, seconds=SECONDS)
        for text in corpus.queries(10):
            began = monotonic()
            answer = search.search(SearchQuery(query=text))
            assert monotonic() < began + LATE
            assert answer.degraded == ("keyword",)
            assert answer.hits
        search.close()


def test_a_server_that_hangs_holds_up_its_own_threads_only(tmp_path: Path) -> None:
    """Of 60 searches at once as many wait as there are threads for it; the others are answered
    although those still wait."""
    before = keyword_threads()  # of searches that other tests share
    with faulty(hang) as server, engine_of(server) as engine:
        search = open_small(tmp_path, FILMS, engine)  # a deadline that does not come
        query = SearchQuery(query="captain")
        with ThreadPoolExecutor(60) as clients:
            asked = [clients.submit(search.search, query) for _ in range(60)]
            eventually(lambda: sum(s.done() for s in asked) == 60 - MAX_KEYWORD_REQUESTS)
            eventually(lambda: server.requests == MAX_KEYWORD_REQUESTS, 20)
            assert len(keyword_threads() - before) == MAX_KEYWORD_REQUESTS
            for done in (s for s in asked if s.done()):
                assert done.result().degraded == ("keyword",)
            server.drop()
        assert all(s.result().degraded == ("keyword",) for s in asked)
        search.close()
        eventually(lambda: not keyword_threads() - before)


def test_the_breaker_is_seen(tmp_path: Path) -> None:
    """A server that lies is asked five times and no more; /health/ready and /metrics say so."""
    with faulty(FAULTS["lie"]) as server, engine_of(server) as engine:
        search: HybridSearch = open_small(tmp_path, FILMS, engine)
        with serving(create_app(search)) as service:
            assert service.get("/health/ready")[1]["keyword_breaker"] == "closed"
            server.requests = 0
            for _ in range(8):
                assert service.get("/search", q="captain")[1]["degraded"] == ["keyword"]
            assert server.requests == 5
            _, ready = service.get("/health/ready")
            assert ready["keyword_breaker"] in ("open", "half-open")
            assert "is not Elasticsearch" in ready["engines"]["keyword"]
            assert b"hybrid_keyword_breaker_open 1.0" in service.raw("GET", "/metrics").data
            status, refused = service.get("/search", q="captain", mode="keyword")
            assert (status, refused["error"]["code"]) == (503, "engine_unavailable")
        search.close()


def test_compressed_content_is_not_unpacked() -> None:
    """Nobody asks for it, and what arrives small may unpack to gigabytes."""
    packed = gzip.compress(b'{"hits": {"hits": []}}')
    head = HEAD + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed)
    with (
        faulty(lambda connection, _: connection.sendall(head + packed)) as server,
        engine_of(server) as engine,
        pytest.raises(EngineUnavailable, match="is not Elasticsearch"),
    ):
        engine.check()


@pytest.mark.parametrize("fault", ["flood", "announced_flood"])
def test_a_flood_is_named(fault: str) -> None:
    """The error says that the response is too long, and where the server is set."""
    with (
        faulty(FAULTS[fault]) as server,
        engine_of(server) as engine,
        pytest.raises(EngineUnavailable, match="HYBRID_ELASTICSEARCH_URL has more than 8 MB"),
    ):
        engine.check()


def test_an_announced_flood_is_not_waited_for() -> None:
    """The memory that it would need is not taken, and its bytes are not read."""

    def announce(connection: socket.socket, server: Faulty) -> None:
        connection.sendall(HEAD + b"Content-Length: %d\r\n\r\n" % (MAX_ANSWER + 1))
        hang(connection, server)

    with (
        faulty(announce) as server,
        engine_of(server) as engine,
        pytest.raises(EngineUnavailable, match="has more than 8 MB"),
    ):
        engine.check()


class Slow(io.RawIOBase):
    """A stream whose every byte takes four seconds of the clock that the test sets."""

    now = 0.0

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Read a byte."""
        self.now += 4
        buffer[:1] = b" "
        return 1


class Timeouts(socket.socket):
    """A connection that notes the timeouts that it is given."""

    noted: tuple[float | None, ...] = ()

    def settimeout(self, value: float | None, /) -> None:
        """Note it."""
        self.noted += (value,)


def test_each_read_has_the_time_that_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """A response of ten seconds that brings a byte every four ends with its third byte."""
    stream = Slow()
    monkeypatch.setattr("hybrid.engines.deadline.monotonic", lambda: stream.now)
    with Timeouts() as connection:
        bounded = _BoundedStream(stream, connection, Deadline(10.0))
        for _ in range(3):
            assert bounded.readinto(bytearray(10)) == 1
        with pytest.raises(TimeoutError):
            bounded.readinto(bytearray(10))
        assert connection.noted == (10.0, 6.0, 2.0)
