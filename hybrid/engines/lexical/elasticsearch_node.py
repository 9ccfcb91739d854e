"""The connection to Elasticsearch, with bounds on the time and the size of a response.

The client's own timeout is for each read: a server that sends a byte now and then never exceeds it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from http.client import HTTPResponse
from io import BufferedReader, RawIOBase
from socket import socket
from typing import Any

from elastic_transport import NodeConfig, Urllib3HttpNode
from elastic_transport.client_utils import DEFAULT
from urllib3 import Timeout
from urllib3.connection import HTTPConnection, HTTPSConnection

from hybrid.engines.deadline import NEVER, Deadline
from hybrid.errors import EngineUnavailable

MAX_ANSWER = 8 * 1024 * 1024
"""Maximum size of a response in bytes, headers included. The largest ones that a generation needs,
10,000 films with their digests, have 1.5 MB."""


_deadline = ContextVar("deadline", default=NEVER)


@contextmanager
def until(deadline: Deadline) -> Iterator[None]:
    """End each request of this thread at the deadline; at its timeout if that is NEVER.

    The client's `options(request_timeout=...)` does so too, but copies the whole client, which
    takes longer than to write and read the JSON of a search.
    """
    token = _deadline.set(deadline)
    try:
        yield
    finally:
        _deadline.reset(token)


class ResponseTooLong(Exception):
    """A response of more than MAX_ANSWER bytes."""


class _BoundedStream(RawIOBase):
    """Reads `source`, the stream of `connection`, until its deadline, at most MAX_ANSWER bytes."""

    def __init__(self, source: RawIOBase, connection: socket, deadline: Deadline) -> None:
        self._source = source
        self._connection = connection
        self._deadline = deadline
        self._room = MAX_ANSWER

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        """Read what has arrived. Raises TimeoutError at the deadline, and ResponseTooLong."""
        if self._deadline != NEVER:
            left = self._deadline.left
            if not left:
                raise TimeoutError("timed out")
            self._connection.settimeout(left)
        count: int | None = self._source.readinto(buffer)
        self._room -= count or 0
        if self._room < 0:
            raise ResponseTooLong
        return count

    def close(self) -> None:
        self._source.close()
        super().close()


class _Response(HTTPResponse):
    """A response, the whole of which must arrive within the timeout that the socket has now."""

    def __init__(self, sock: socket, *args: Any, **options: Any) -> None:
        super().__init__(sock, *args, **options)
        seconds = sock.gettimeout()
        deadline = NEVER if seconds is None else Deadline.after(seconds)
        self.fp: Any = BufferedReader(_BoundedStream(self.fp.detach(), sock, deadline))

    def begin(self) -> None:
        super().begin()
        # Memory for the announced length is taken before the first byte is read.
        if (self.length or 0) > MAX_ANSWER:
            raise ResponseTooLong
        # Nobody asked for compression, and a small response may unpack to a large one.
        del self.msg["Content-Encoding"]


class _Connection(HTTPConnection):
    response_class = _Response


class _SecureConnection(HTTPSConnection):
    response_class = _Response


class BoundedNode(Urllib3HttpNode):
    """A node whose request timeout is total: connecting, sending and receiving."""

    def __init__(self, config: NodeConfig) -> None:
        super().__init__(config)
        secure = config.scheme == "https"
        self.pool.ConnectionCls = _SecureConnection if secure else _Connection

    def perform_request(
        self,
        method: str,
        target: str,
        body: Any = None,
        headers: Any = None,
        request_timeout: Any = DEFAULT,
    ) -> Any:
        """Send a request and return the response.

        Raises EngineUnavailable if the deadline of `until` has passed.
        """
        deadline = _deadline.get()
        if deadline != NEVER:
            request_timeout = deadline.left
            if not request_timeout:
                raise EngineUnavailable("no time was left to ask Elasticsearch")
        elif request_timeout is DEFAULT:
            request_timeout = self.config.request_timeout
        total: Any = Timeout(total=request_timeout)  # the pool takes one in place of a number
        return super().perform_request(method, target, body, headers, request_timeout=total)
