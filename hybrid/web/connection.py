"""uvicorn's HTTP connection with deadlines and bounds.

A deadline is for a whole request or a whole response, however steadily its bytes come or go.
"""

import json
import socket
import struct
from asyncio import TimerHandle, Transport
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from hybrid.serving.workers import Worker
from hybrid.web.errors import SERVER_ERRORS, error_body, retry_after
from hybrid.web.refusals import REFUSALS
from hybrid.web.security_headers import security_headers

MAX_REQUEST_LINE = 32 * 1024
"""Bytes of a URL. A query of 1,000 characters may take 12,000 of them."""

MAX_HEADERS = 32 * 1024
"""Bytes of all headers or trailers of a request."""

LINGER = 2.0
"""Seconds in which a refused client may read the reason; what it still sends is discarded."""

LAST_REQUEST = 1.0
"""Seconds in which a stopping server still answers new requests on open connections."""

RESET = struct.pack("ii", 1, 0)
"""SO_LINGER of 0 s: closing discards what was not sent, which the kernel would retry otherwise."""


@dataclass
class Clients:
    """The bounds of a server's connections, and which of them wait for their client."""

    connections: int
    read_deadline: float  # seconds
    write_deadline: float  # seconds
    worker: Worker
    stopping: bool = False
    waiting: dict["Connection", None] = field(default_factory=dict)
    """Connections without a whole request, in the order in which they began to wait."""


class Connection(HttpToolsProtocol):
    """A connection that is closed if its client takes too long, or its place is needed."""

    def __init__(self, clients: Clients, **uvicorn: Any) -> None:
        super().__init__(**uvicorn)
        self._clients = clients
        self._read: TimerHandle | None = None
        self._write: TimerHandle | None = None
        self._begun = False  # there is a part of a request
        self._in_body = False  # and that part has all headers
        self._head = 0  # bytes of headers and trailers of the request so far
        self._refusal = HTTPStatus.BAD_REQUEST
        self._refused = False

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        """Accept a connection: if there are too many, instead of the one that waited longest."""
        super().connection_made(transport)
        if len(self.connections) > self._clients.connections:
            if not self._clients.waiting:
                self._refuse(HTTPStatus.SERVICE_UNAVAILABLE)
                return
            next(iter(self._clients.waiting)).reset()
        self._clients.waiting[self] = None
        self._await_request()
        if self._clients.stopping:
            self.shutdown()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._clients.worker.connected(-1)
        self._clients.waiting.pop(self, None)
        self._has_request()
        if self._write is not None:
            self._write.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse what was received. The deadline of a request runs from its first byte."""
        if self._refused:
            return
        if not self._under_way():
            self._await_request()
        super().data_received(data)

    def eof_received(self) -> bool:  # type: ignore[override]
        """Refuse an incomplete request. A client that leaves after a whole one wants no response.

        Returns whether the connection stays open for what is still to be sent.
        """
        if self._refused or not self._is_part():
            return False
        self._refuse(HTTPStatus.BAD_REQUEST)
        return True

    def on_message_begin(self) -> None:
        """Begin a request."""
        super().on_message_begin()
        self._begun = True
        self._head = 0
        self._await_request()

    def on_url(self, url: bytes) -> None:
        """Add to the URL. Raises ValueError above the bound, and the request is refused."""
        super().on_url(url)
        if len(self.url) > MAX_REQUEST_LINE:
            self._refusal = HTTPStatus.REQUEST_URI_TOO_LONG
            raise ValueError

    def on_header(self, name: bytes, value: bytes) -> None:
        """Add a header or trailer. Raises ValueError above the bound: the request is refused."""
        super().on_header(name, value)
        self._head += len(name) + len(value)
        if self._head > MAX_HEADERS:
            self._refusal = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
            raise ValueError

    def on_headers_complete(self) -> None:
        """Start to answer; a stopping server closes the connection afterwards."""
        super().on_headers_complete()
        self._in_body = True
        if self._clients.stopping:
            self.cycle.keep_alive = False

    def on_message_complete(self) -> None:
        """End a request: its client now waits for the server."""
        self._begun = self._in_body = False
        self._has_request()
        if self._under_way():
            self._clients.waiting.pop(self, None)
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Wait for the client to take the response and to send the next request."""
        super().on_response_complete()
        if not self._under_way():
            self._clients.waiting[self] = None
        if self._write is not None:
            self._write.cancel()
            self._write = None
        if self.transport.get_write_buffer_size():
            self._write = self.loop.call_later(self._clients.write_deadline, self._not_taken)

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 -- uvicorn's name of it
        """Refuse what is not HTTP, or exceeds a bound."""
        self._end(self._refusal)

    def shutdown(self) -> None:
        """Close the connection once it is idle: a request may be on its way."""
        if self._under_way():
            self.cycle.keep_alive = False
        else:
            self.loop.call_later(LAST_REQUEST, self._close_idle)

    def reset(self) -> None:
        """Close the connection at once, with all that was not sent."""
        opened: socket.socket = self.transport.get_extra_info("socket")
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self._clients.waiting.pop(self, None)
        self.transport.abort()

    def _under_way(self) -> bool:
        """Whether a request is being answered."""
        return self.cycle is not None and not self.cycle.response_complete

    def _is_part(self) -> bool:
        """Whether there is a part of a request, without an answer yet."""
        return self._begun and not (self._in_body and self.cycle.response_complete)

    def _await_request(self) -> None:
        """Let the deadline run by which a whole request must be there, if it does not yet."""
        if self._read is None:
            self._read = self.loop.call_later(self._clients.read_deadline, self._too_slow)

    def _has_request(self) -> None:
        if self._read is not None:
            self._read.cancel()
            self._read = None

    def _too_slow(self) -> None:
        self._end(HTTPStatus.REQUEST_TIMEOUT)

    def _not_taken(self) -> None:
        if self.transport.get_write_buffer_size():
            self.reset()

    def _close_idle(self) -> None:
        if not self._under_way():
            self.transport.close()

    def _end(self, status: HTTPStatus) -> None:
        """Close the connection, with an error if there is something to answer."""
        if self._is_part():
            self._refuse(status)
        else:
            self.transport.close()

    def _refuse(self, status: HTTPStatus) -> None:
        """Answer with an error that never reaches the application, and close."""
        self._refused = True
        self._has_request()
        if self._under_way():
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        REFUSALS.note(status, SERVER_ERRORS[status][0])
        body = json.dumps(error_body(*SERVER_ERRORS[status], {})).encode()
        headers = security_headers(None) | retry_after(status)
        headers |= {"Content-Type": "application/json", "Content-Length": str(len(body))}
        lines = [f"{name}: {value}\r\n" for name, value in headers.items()]
        head = STATUS_LINE[status] + "".join(lines).encode() + b"Connection: close\r\n\r\n"
        self.transport.write(head + body)
        # Closed with unread bytes, the connection would be reset and the answer lost.
        self.transport.write_eof()
        self._unset_keepalive_if_required()
        self.loop.call_later(LINGER, self.transport.abort)
