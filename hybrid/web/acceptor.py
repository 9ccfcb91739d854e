"""Accepts the connections of a worker, in turn with the others that share its listening socket."""

import asyncio
import errno
import logging
import socket
from collections.abc import Callable

from hybrid.serving.workers import Worker

YIELD = 0.002
"""Seconds that a worker leaves a connection to those that have fewer: unless they are busy, one of
them has accepted it by then."""

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

    def stop(self) -> None:
        """Accept no more connections, and close the socket in this process."""
        self._pause(None)
        self._listener.close()

    def _resume(self) -> None:
        self._loop.add_reader(self._listener, self._ready)

    def _pause(self, then: Callable[[], None] | None, seconds: float = YIELD) -> None:
        self._loop.remove_reader(self._listener)
        if self._later:
            self._later.cancel()
        self._later = self._loop.call_later(seconds, then) if then else None

    def _ready(self) -> None:
        if self._worker.has_most:
            self._pause(self._accept_and_resume)
        else:
            self._accept()

    def _accept_and_resume(self) -> None:
        self._resume()
        self._accept()

    def _accept(self) -> None:
        try:
            accepted, _ = self._listener.accept()
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            return  # another worker was faster, or the client has left
        except OSError as error:
            if error.errno not in EXHAUSTED:
                raise
            log.warning("no connection can be accepted", extra={"problem": error.strerror})
            self._pause(self._resume, 1.0)
            return
        accepted.setblocking(False)
        self._worker.connected(+1)  # at once: the next one may be accepted before it is set up
        task = self._loop.create_task(self._set_up(accepted))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _set_up(self, accepted: socket.socket) -> None:
        await self._loop.connect_accepted_socket(self._protocol, accepted)
