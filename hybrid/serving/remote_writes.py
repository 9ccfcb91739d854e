"""Changes that one process publishes for several: group commit needs all of them in one place.

A change is a connection to a Unix socket in a folder of the user of the service alone: a request
of pickled arguments, and an answer that is a response or the error to be raised.
"""

import logging
import socket
from collections.abc import Mapping
from contextlib import closing, suppress
from multiprocessing.connection import Connection
from pathlib import Path
from threading import Thread

from hybrid.errors import HybridError, NotDurable
from hybrid.schemas.changes import ChangeResponse
from hybrid.serving.writes import NO_TERMS, Terms, Writes

BACKLOG = 512
"""Changes that the kernel queues while the process that publishes starts again."""


def listen(file: Path) -> socket.socket:
    """Return the listening socket that changes are sent to."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(file))
    listener.listen(BACKLOG)
    return listener


class RemoteWrites:
    """The `Writes` that another process makes."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def put(
        self, film: int, values: Mapping[str, object], terms: Terms = NO_TERMS
    ) -> ChangeResponse:
        """Add a film, or replace the one with this id."""
        return self._ask("put", film, dict(values), terms)

    def delete(self, film: int, terms: Terms = NO_TERMS) -> ChangeResponse:
        """Remove a film."""
        return self._ask("delete", film, terms)

    def close(self) -> None:
        """Do nothing: the other process goes on."""

    def _ask(self, *request: object) -> ChangeResponse:
        with socket.socket(socket.AF_UNIX) as opened:
            opened.connect(str(self._file))
            connection = Connection(opened.detach())
        with connection:
            try:
                connection.send(request)
                answer = connection.recv()
            except (EOFError, OSError):
                raise NotDurable(
                    "the process that publishes changes ended before it answered: the change may "
                    "be published or not; make it again"
                ) from None
        if isinstance(answer, Exception):
            raise answer
        response: ChangeResponse = answer
        return response


def serve_writes(writes: Writes, listener: socket.socket) -> None:
    """Make the changes that arrive at `listener`, until the process ends."""
    while True:
        opened, _ = listener.accept()
        Thread(target=_answer, args=(writes, Connection(opened.detach())), daemon=True).start()


def _answer(writes: Writes, connection: Connection) -> None:
    """Make one change. Whoever sent it may have ended meanwhile."""
    with closing(connection), suppress(EOFError, OSError):
        kind, *arguments = connection.recv()
        answer: ChangeResponse | Exception
        try:
            answer = writes.put(*arguments) if kind == "put" else writes.delete(*arguments)
        except HybridError as error:
            answer = error
        except Exception as error:
            logging.getLogger(__name__).exception("a change failed")
            answer = RuntimeError(f"{error!r}, see the log of the service")
        connection.send(answer)
