"""Servers in the place of Elasticsearch that hang, drip, reset, flood or lie."""

import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from socketserver import BaseRequestHandler, ThreadingTCPServer
from threading import Event, Thread

HEAD = b"HTTP/1.1 200 OK\r\nX-Elastic-Product: Elasticsearch\r\nContent-Type: application/json\r\n"
LIE = b'{"status": "green", "hits": "welcome"}'
DRIP = 0.4
"""Seconds between two bytes."""

CHUNK = b'{"_id": "1"}, ' * 4096
FLOOD = 2 << 30
"""Bytes of a flood."""


@dataclass
class Faulty:
    """A faulty server: its URL, how many requests it read and how many bytes it has sent."""

    url: str = ""
    requests: int = 0
    sent: int = 0
    closed: Event = field(default_factory=Event)
    connections: list[socket.socket] = field(default_factory=list)

    def drop(self) -> None:
        """End every connection."""
        for connection in self.connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


Fault = Callable[[socket.socket, Faulty], None]


def hang(connection: socket.socket, server: Faulty) -> None:
    """Say nothing until the client leaves."""
    while connection.recv(65536):
        pass


def drip(connection: socket.socket, server: Faulty) -> None:
    """Send a whole response, head and body, a byte at a time."""
    _drip(HEAD + b"Content-Length: %d\r\n\r\n" % len(LIE) + LIE, connection, server)


def drip_body(connection: socket.socket, server: Faulty) -> None:
    """Send the head at once and the body a byte at a time."""
    _send(HEAD + b"Content-Length: %d\r\n\r\n" % len(LIE), connection, server)
    _drip(LIE, connection, server)


def reset(connection: socket.socket, server: Faulty) -> None:
    """Reset the connection."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def flood(connection: socket.socket, server: Faulty) -> None:
    """Send 2 GB whose end is not announced."""
    _send(HEAD + b'\r\n{"hits": {"hits": [', connection, server)
    while server.sent < FLOOD:
        _send(CHUNK, connection, server)


def announced_flood(connection: socket.socket, server: Faulty) -> None:
    """Announce 2 GB, and send them."""
    _send(HEAD + b"Content-Length: %d\r\n\r\n" % FLOOD, connection, server)
    while server.sent < FLOOD:
        _send(CHUNK, connection, server)


def lie(connection: socket.socket, server: Faulty) -> None:
    """Say 200, with content that is not that of a search."""
    _send(HEAD + b"Content-Length: %d\r\n\r\n" % len(LIE) + LIE, connection, server)


FAULTS: dict[str, Fault] = {
    "hang": hang,
    "drip": drip,
    "drip_body": drip_body,
    "reset": reset,
    "flood": flood,
    "announced_flood": announced_flood,
    "lie": lie,
}


@contextmanager
def faulty(fault: Fault) -> Iterator[Faulty]:
    """Give a server on a free port of this machine that reads requests and then fails like this."""
    state = Faulty()

    class Handler(BaseRequestHandler):
        def handle(self) -> None:
            state.connections.append(self.request)
            with suppress(OSError):  # the client has left
                self.request.recv(65536)
                state.requests += 1
                fault(self.request, state)

    class Server(ThreadingTCPServer):
        daemon_threads = True
        block_on_close = False
        request_queue_size = 128

    with ExitStack() as opened:
        server = Server(("127.0.0.1", 0), Handler)
        opened.callback(server.server_close)
        thread = Thread(target=server.serve_forever, args=[0.01])
        thread.start()
        opened.callback(thread.join)
        opened.callback(server.shutdown)
        opened.callback(state.closed.set)
        state.url = f"http://127.0.0.1:{server.server_address[1]}"
        yield state


def _send(data: bytes, connection: socket.socket, server: Faulty) -> None:
    connection.sendall(data)
    server.sent += len(data)


def _drip(data: bytes, connection: socket.socket, server: Faulty) -> None:
    for byte in data:
        _send(bytes([byte]), connection, server)
        if server.closed.wait(DRIP):
            return
