"""Clients that stall, leave, or are many: what the server does before and after the application.

The application here is a few lines of WSGI, so that nothing but the server is tested.
"""

import json
import select
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.client import HTTPResponse
from time import monotonic
from typing import Any
from unittest.mock import patch
from wsgiref.validate import validator

import pytest

from hybrid.settings import Settings
from hybrid.web import admission
from hybrid.web.admission import PROBES, Lanes
from hybrid.web.app import MAX_BODY
from hybrid.web.connection import MAX_HEADERS, MAX_REQUEST_LINE
from hybrid.web.gateway import Gateway
from hybrid.web.overload import IN_JSON
from hybrid.web.request_search import ARRIVED
from hybrid.web.server import listen
from hybrid.web.worker import Server, server
from tests.command import free_port
from tests.eventually import eventually

GET = b"GET %s HTTP/1.1\r\nHost: films.example\r\n\r\n"
POST = b"POST /echo HTTP/1.1\r\nHost: films.example\r\n"
LARGE = 32 * 2**20
"""Bytes of an answer that no system buffers whole."""


@dataclass
class Application:
    """What answers: the path of each request is noted; /held is not answered until released."""

    asked: list[str] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        """Answer with the body sent, or as much as the path says."""
        path = environ["PATH_INFO"]
        self.asked.append(path)
        body = environ["wsgi.input"].read(min(int(environ["CONTENT_LENGTH"]), MAX_BODY))
        if path.startswith("/held"):
            assert self.released.wait(60)
        if path == "/environ":
            body = json.dumps({name: str(value) for name, value in environ.items()}).encode()
        if path == "/large":
            body = b"x" * LARGE
        headers = [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))]
        start_response("200 OK", headers)
        return [body]


@dataclass
class Running:
    """A running server, its application and its address."""

    app: Application
    server: Server
    address: tuple[str, int]
    opened: ExitStack

    def connect(self, sent: bytes = b"") -> socket.socket:
        """Return a connection over which these bytes were sent."""
        one = self.opened.enter_context(socket.create_connection(self.address, timeout=60))
        one.sendall(sent)
        return one

    def get(self, path: str) -> int:
        """Return the status of an answer on a connection of its own."""
        return answer(self.connect(GET % path.encode()))[0]

    def connections(self) -> int:
        """Return how many the server holds."""
        return len(self.server.server_state.connections)


@contextmanager
def running(threads: int = 2, max_wait: float = 60, **settings: Any) -> Iterator[Running]:
    """Run the server with these settings; release what the application holds, and stop it."""
    app, address = Application(), ("127.0.0.1", free_port())
    with patch.object(admission, "SEARCH_THREADS", threads):
        lanes = Lanes(max_wait)
    gateway = Gateway(validator(app), lanes, lambda _: IN_JSON)
    made = server(Settings(host=address[0], port=address[1], **settings), gateway)
    thread = threading.Thread(target=made.run, args=([listen(*address)],))
    thread.start()
    with ExitStack() as opened:
        try:
            eventually(lambda: made.started, 30)
            yield Running(app, made, address, opened)
        finally:
            app.released.set()
            opened.close()
            made.should_exit = True
            thread.join()
            lanes.close()


def answer(connection: socket.socket) -> tuple[int, bytes]:
    """Return status and body of the next answer."""
    with HTTPResponse(connection) as found:
        found.begin()
        return found.status, found.read()


def error(connection: socket.socket) -> tuple[int, str]:
    """Return status and code of an error of the one shape, after which the connection is closed."""
    status, body = answer(connection)
    assert connection.recv(1) == b""
    found = json.loads(body)
    assert list(found) == ["error"]
    assert list(found["error"]) == ["code", "message", "fields"]
    return status, found["error"]["code"]


def drip(connection: socket.socket, text: bytes) -> None:
    """Send the text again and again until an answer or the end comes; fail if none comes."""
    for _ in range(3000):
        if select.select([connection], [], [], 0.02)[0]:
            return
        connection.send(text)
    pytest.fail("nothing cuts a client that sends without end")


@pytest.mark.parametrize(
    ("first", "text"),
    [
        (b"G", b""),
        (b"GET /e", b"x"),
        (POST + b"X: ", b"x"),
        (POST + b"Content-Length: 60000\r\n\r\n", b" "),
        (POST + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
        (POST + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"A: b\r\n"),
        (GET % b"/first" + b"G", b""),
    ],
    ids=["byte", "path", "header", "body", "chunks", "trailers", "second request"],
)
def test_a_request_has_one_deadline(first: bytes, text: bytes) -> None:
    """A client that stops or goes on byte by byte gets an error and is cut; nothing is computed."""
    with running(read_deadline=0.5) as service:
        connection = service.connect(first)
        if first.startswith(GET % b"/first"):
            assert answer(connection)[0] == 200
        drip(connection, text)
        assert error(connection) == (408, "too_slow")
        assert service.app.asked in ([], ["/first"])


def test_nothing_follows_an_answer_that_came_early() -> None:
    """Who goes on sending a body that is too long is cut without a second answer."""
    with running(read_deadline=0.5) as service:
        connection = service.connect(POST + b"Content-Length: 1000000\r\n\r\n")
        assert answer(connection)[0] == 200  # of this application; ours refuses it
        drip(connection, b" ")
        assert connection.recv(1) == b""


@pytest.mark.parametrize("first", [b"", GET % b"/first"], ids=["new", "used"])
def test_blank_lines_are_no_request(first: bytes) -> None:
    """A client that sends nothing but blank lines is cut without an answer."""
    with running(read_deadline=0.5) as service:
        connection = service.connect(first)
        if first:
            assert answer(connection)[0] == 200
        drip(connection, b"\r\n")
        assert connection.recv(1) == b""


def test_a_whole_request_has_no_deadline() -> None:
    """The deadline is for sending: an answer that takes longer comes."""
    with running(read_deadline=0.3) as service:
        connection = service.connect(GET % b"/held")
        assert error(service.connect(b"G")) == (408, "too_slow")  # that took the deadline
        service.app.released.set()
        assert answer(connection)[0] == 200


@pytest.mark.parametrize("pipelined", [1, 3])
def test_an_answer_has_one_deadline(pipelined: int) -> None:
    """A client that does not take a large answer is cut, and what it did not take is forgotten."""
    with running(write_deadline=0.5) as service:
        connection = service.connect(GET % b"/large" * pipelined)
        eventually(lambda: service.app.asked != [], 30)
        eventually(lambda: service.connections() == 0, 30)
        with pytest.raises(ConnectionResetError):
            connection.makefile("rb").read()


def test_a_large_answer_comes_whole() -> None:
    """A client that takes it has all of it, and may ask again on the same connection."""
    with running() as service:
        connection = service.connect(GET % b"/large")
        for _ in range(2):
            assert answer(connection) == (200, b"x" * LARGE)
            connection.sendall(GET % b"/large")


def test_more_clients_than_connections() -> None:
    """Where there are too many, the one that has waited longest for its client makes room."""
    with running(connections=4) as service:
        first = service.connect(b"G")
        others = [service.connect(b"GET /echo HTTP/1.1\r\nHost: a\r\n") for _ in range(3)]
        eventually(lambda: service.connections() == 4, 30)
        assert service.get("/echo") == 200
        with pytest.raises(ConnectionResetError):
            first.recv(1)
        for other in others[1:]:
            other.sendall(b"\r\n")
            assert answer(other)[0] == 200


def test_connections_that_all_wait_for_the_server() -> None:
    """A client too many is refused where all others wait for their answers, which come."""
    with running(connections=3) as service:
        waiting = [service.connect(GET % b"/held") for _ in range(3)]
        eventually(lambda: service.connections() == 3, 30)
        eventually(lambda: len(service.app.asked) == 2, 30)
        eventually(lambda: len(service.server.server_state.tasks) == 3, 30)
        assert error(service.connect()) == (503, "too_many_clients")
        service.app.released.set()
        assert [answer(one)[0] for one in waiting] == [200] * 3


def test_probes_have_threads_of_their_own() -> None:
    """They are answered while every thread is busy and more requests wait."""
    with running(threads=1) as service:
        held = [service.connect(GET % b"/held") for _ in range(5)]
        eventually(lambda: service.app.asked == ["/held"], 30)
        assert [service.get(path) for path in PROBES] == [200] * 3
        assert select.select(held, [], [], 0)[0] == []
        service.app.released.set()
        assert [answer(one)[0] for one in held] == [200] * 5


def test_what_waits_too_long_is_refused_and_not_computed() -> None:
    """At once when that is foreseen, else when its turn comes; probes are answered."""
    with running(threads=1, max_wait=0.01) as service:
        held = service.connect(GET % b"/held")
        eventually(lambda: service.app.asked == ["/held"], 30)
        late = service.connect(GET % b"/late")
        eventually(lambda: len(service.server.server_state.tasks) == 2, 30)
        waits = monotonic()
        assert service.get("/health/live") == 200
        eventually(lambda: monotonic() > waits + 0.01, 30)
        service.app.released.set()
        assert answer(held)[0] == 200
        with HTTPResponse(late) as refused:
            refused.begin()
            assert (refused.status, refused.headers["Retry-After"]) == (503, "1")
            assert json.loads(refused.read())["error"]["code"] == "overloaded"
        assert "/late" not in service.app.asked


def test_a_request_arrives_before_it_waits() -> None:
    """Its deadline runs from then on, not from when it gets a thread."""
    with running(threads=1) as service:
        held = service.connect(GET % b"/held")
        eventually(lambda: service.app.asked == ["/held"], 30)
        waits = service.connect(GET % b"/environ")
        eventually(lambda: len(service.server.server_state.tasks) == 2, 30)
        now = monotonic()
        service.app.released.set()
        assert answer(held)[0] == 200
        assert float(json.loads(answer(waits)[1])[ARRIVED]) <= now


def test_responses_are_sent_at_once() -> None:
    """A response on a connection that is kept does not wait for the client's acknowledgement."""
    with running() as service:
        connection = service.connect(GET % b"/echo")
        assert answer(connection)[0] == 200
        (kept,) = service.server.server_state.connections
        opened = kept.transport.get_extra_info("socket")
        assert opened.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_stalled_clients_hold_no_thread() -> None:
    """With more stalled clients than threads, others are answered."""
    with running(threads=1) as service:
        for sent in (b"G", POST + b"Content-Length: 9\r\n\r\n1", GET % b"/large") * 5:
            service.connect(sent)
        assert service.get("/echo") == 200


def test_nothing_is_computed_for_a_client_that_left() -> None:
    """A request that waits for a thread is dropped as its client leaves."""
    with running(threads=1) as service:
        held = service.connect(GET % b"/held")
        eventually(lambda: service.app.asked == ["/held"], 30)
        leaves = service.connect(GET % b"/left")
        eventually(lambda: len(service.server.server_state.tasks) == 2, 30)
        leaves.close()
        eventually(lambda: len(service.server.server_state.tasks) == 1, 30)
        service.app.released.set()
        assert answer(held)[0] == 200
        assert service.get("/echo") == 200
        assert service.app.asked == ["/held", "/echo"]


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (b"\x00\x01\x02\r\n\r\n", (400, "malformed")),
        (b"GET / HTTP/9.9\r\n\r\n", (400, "malformed")),
        (POST + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n11", (400, "malformed")),
        (POST + b"Content-Length: -1\r\n\r\n", (400, "malformed")),
        (POST + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n", (400, "malformed")),
        (POST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", (400, "malformed")),
        (POST + b"A b: c\r\n\r\n", (400, "malformed")),
        (GET % (b"/" + b"x" * MAX_REQUEST_LINE), (414, "url_too_long")),
        (POST + b"X: " + b"x" * MAX_HEADERS + b"\r\n\r\n", (431, "headers_too_large")),
        (POST + b"X: y\r\n" * MAX_HEADERS + b"\r\n", (431, "headers_too_large")),
    ],
)
def test_what_is_no_request_is_an_error_of_the_one_shape(
    sent: bytes, expected: tuple[int, str]
) -> None:
    """What is malformed or too long never reaches the application, and its connection ends."""
    with running() as service:
        assert error(service.connect(sent)) == expected
        assert service.app.asked == []


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_is_read_before_a_thread_takes_it(chunked: bool) -> None:
    """The application is called once the last byte is there, with its length."""
    body = b"b" * MAX_BODY
    length = b"Content-Length: %d\r\n\r\n" % len(body)
    start = b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % len(body) if chunked else length
    with running() as service:
        connection = service.connect(POST + start + body[:-1])
        assert service.get("/other") == 200
        assert service.app.asked == ["/other"]
        connection.sendall(body[-1:] + (b"\r\n0\r\n\r\n" if chunked else b""))
        assert answer(connection) == (200, body)


def test_headers_cannot_pass_for_others() -> None:
    """A header is given to the application by its own name alone, or not at all."""
    with running() as service:
        sent = b"X_Forwarded_For: a\r\nX-B: c\r\nX-B: d\r\nPath-Info: e\r\n\r\n"
        connection = service.connect((GET % b"/environ")[:-2] + sent)
        environ = json.loads(answer(connection)[1])
        assert "HTTP_X_FORWARDED_FOR" not in environ
        assert environ["HTTP_X_B"] == "c,d"
        assert (environ["PATH_INFO"], environ["SCRIPT_NAME"]) == ("/environ", "")
        assert environ["REMOTE_ADDR"] == "127.0.0.1"


def test_a_server_that_stops_answers_what_is_on_its_way() -> None:
    """A request under way is answered, and so is the next one on an open connection; both say that
    the connection ends. Then there is none any more."""
    with running() as service:
        held = service.connect(GET % b"/held")
        idle = service.connect(GET % b"/echo")
        assert answer(idle)[0] == 200
        new = service.connect()
        eventually(lambda: service.connections() == 3 and "/held" in service.app.asked, 30)
        service.server.should_exit = True
        eventually(lambda: not service.server.accepting, 30)
        for connection in (idle, new):
            connection.sendall(GET % b"/echo")
            assert answer(connection)[0] == 200
            assert connection.recv(1) == b""
        service.app.released.set()
        assert answer(held)[0] == 200
        assert held.recv(1) == b""
        with pytest.raises(ConnectionRefusedError):
            service.connect()
