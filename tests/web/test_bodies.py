"""Bodies as they come over a socket, to the production server: too long, or not whole."""

import json
import socket

import pytest

from hybrid.web.app import MAX_BODY
from tests.web.http import Service, received

pytestmark = pytest.mark.parametrize("index", ["embedded"], indirect=True)

QUERY = b'{"query": "heist"}'
LONG_NUMBER = b"9" * 5000
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"


def head(line: str, key: str | None = None) -> bytes:
    """Return the start of a request up to the header that says how its body comes."""
    return f"{line} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\n".encode()


def in_chunks(body: bytes, size: int = 9000) -> bytes:
    """Return a body cut into chunks, and the end of them."""
    parts = [body[start : start + size] for start in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


def whole(body: bytes) -> bytes:
    """Return a body with its length before it."""
    return b"Content-Length: %d\r\n\r\n%s" % (len(body), body)


@pytest.mark.parametrize("length", [MAX_BODY, MAX_BODY + 1, 3 * MAX_BODY])
def test_the_bound_is_the_same_however_a_body_is_sent(service: Service, length: int) -> None:
    """A body of 64 KiB is read to its last byte, and a longer one refused, not cut."""
    body = QUERY.ljust(length)
    for sent in (whole(body), CHUNKED + in_chunks(body)):
        status, answer = received(service.connect(head("POST /search") + sent))
        if length == MAX_BODY:
            assert status == 200
            assert answer["query"]["query"] == "heist"
        else:
            assert (status, answer["error"]["code"]) == (413, "too_large")


def test_what_follows_the_bound_counts(service: Service) -> None:
    """JSON that would be whole if it were cut at the bound is refused, and no film is changed."""
    garbage = json.dumps({"title": "Cut Off"}).encode().ljust(70_000) + b"}}}"
    request = head("PUT /movies/123456789", service.key) + CHUNKED + in_chunks(garbage)
    status, answer = received(service.connect(request))
    assert (status, answer["error"]["code"]) == (413, "too_large")
    assert service.send("DELETE", "/movies/123456789")[0] == 404


@pytest.mark.parametrize(
    "chunks",
    [
        b"zz\r\n" + QUERY,
        b"-1\r\n" + QUERY,
        b"\r\n",
        b"12\r\n" + QUERY + b"x\r\n0\r\n\r\n",
        b"12;a=\x01\r\n" + QUERY + b"\r\n0\r\n\r\n",
        b"12\r\n" + QUERY + b"\r\n0\r\nno trailer\r\n\r\n",
        b"12\r\n" + QUERY + b"\r\n0\r\nA: 1\nB: 2\r\n\r\n",
        b"12\r\n" + QUERY + b"\r\n" + b"0" * 20_000,
        b"12\r\n" + QUERY + b"\r\n0\r\n",
        b"12\r\n" + QUERY[:9],
    ],
)
def test_malformed_chunks_are_an_error_of_the_one_shape(service: Service, chunks: bytes) -> None:
    """A chunk, its extension or a trailer that is none, and a body that breaks off, are a 400."""
    connection = service.connect(head("POST /search") + CHUNKED + chunks)
    connection.shutdown(socket.SHUT_WR)
    status, answer = received(connection)
    assert (status, answer["error"]["code"]) == (400, "malformed")
    assert list(answer["error"]) == ["code", "message", "fields"]


@pytest.mark.parametrize(
    ("line", "body"),
    [
        ("POST /search", b'{"query": "heist", "limit": %s}' % LONG_NUMBER),
        ("PUT /movies/123456789", b'{"title": "Heist", "votes": -%s}' % LONG_NUMBER),
    ],
)
def test_a_number_beyond_python_is_told(service: Service, line: str, body: bytes) -> None:
    """The error says what is wrong with JSON that is whole."""
    status, answer = received(service.connect(head(line, service.key) + whole(body)))
    assert (status, answer["error"]["code"]) == (422, "invalid_input")
    assert answer["error"]["message"] == "the body has a number of more than 4,300 digits"


def test_a_body_shorter_than_announced_is_refused(service: Service) -> None:
    """A whole JSON object of which more was announced is not the whole body."""
    connection = service.connect(head("POST /search") + b"Content-Length: 99\r\n\r\n" + QUERY)
    connection.shutdown(socket.SHUT_WR)
    status, answer = received(connection)
    assert (status, answer["error"]["code"]) == (400, "malformed")
