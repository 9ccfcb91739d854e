"""Accepts the connections of a worker, in turn with the others that share its listening socket."""

import asyncio
import errno
import logging
import socket
from collections.abc import Callable
from contextlib import suppress

from hybrid.serving.workers import Worker

YIELD, YIELDS = 0.002, 5
"""A worker leaves a connection for so many seconds, so many times, to those that have fewer: unless
they are busy, one of them has accepted it by then."""

EXHAUSTED = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
"""Errors after which accepting waits a second: the system has no room for another connection."""


log = logging.getLogger(__name__)


class Acceptor:
    """Accepts one connection at a time; asyncio's own server would take all that wait.

    A client that keeps its connection keeps its worker, so that it matters who gets it.
    """

    def __init__(
        self, listener: socket.socket, worker: Worker, protocol: Callable[[], asyncio.Protocol]
    ) -> None:
        self._listener = listener
        self._worker = worker
        self._protocol = protocol
        self._loop = asyncio.get_running_loop()
        self._later: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[object]] = set()

    def start(self) -> None:
        """Begin to accept."""
        self._listener.setblocking(False)
        self._worker.accepts()
        self._resume()

    @property
    def accepting(self) -> bool:
        """Whether connections are accepted."""
        return self._listener.fileno() >= 0

    def stop(self) -> None:
        """Accept those that wait already, then no more; close the socket in this process."""
        self._loop.remove_reader(self._listener)
        if self._later is not None:
            self._later.cancel()
        with suppress(OSError):  # that none waits any more
            while True:
                self._take(self._listener.accept()[0])
        self._listener.close()

    def _resume(self) -> None:
        self._loop.add_reader(self._listener, self._ready, YIELDS)

    def _pause(self, seconds: float, then: Callable[..., None], *arguments: int) -> None:
        self._loop.remove_reader(self._listener)
        self._later = self._loop.call_later(seconds, then, *arguments)

    def _ready(self, yields: int) -> None:
        """Accept a connection that waits, or yield so many times before."""
        if yields and self._worker.has_most:
            self._pause(YIELD, self._ready, yields - 1)
            return
        try:
            accepted, _ = self._listener.accept()
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            pass  # another worker was faster, or the client has left
        except OSError as error:
            if error.errno not in EXHAUSTED:
                raise
            log.warning("no connection can be accepted", extra={"problem": error.strerror})
            self._pause(1.0, self._resume)
            return
        else:
            self._take(accepted)
        self._resume()

    def _take(self, accepted: socket.socket) -> None:
        accepted.setblocking(False)
        self._worker.connected(+1)  # at once: the next one may be accepted before it is set up
        task = self._loop.create_task(self._set_up(accepted))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _set_up(self, accepted: socket.socket) -> None:
        await self._loop.connect_accepted_socket(self._protocol, accepted)
