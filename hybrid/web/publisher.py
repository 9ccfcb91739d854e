"""The process that publishes the changes of all workers: group commit needs them in one place."""

import signal
import socket
from contextlib import closing
from multiprocessing.connection import wait
from threading import Thread

from hybrid.engines.factory import EncoderCache
from hybrid.serving.remote_writes import serve_writes
from hybrid.settings import Settings
from hybrid.web.supervisor import STOPS, Lifeline
from hybrid.wiring import open_writes


def publish(settings: Settings, listener: socket.socket, lifeline: Lifeline) -> None:
    """Publish the changes that arrive at `listener`, until the process is stopped.

    It is when no worker is left: signals do not stop it, because a worker may wait for a change.
    """
    lifeline.prepared()  # nothing that matters here
    for stop in STOPS:
        signal.signal(stop, signal.SIG_IGN)
    with closing(open_writes(settings, EncoderCache().of_films)) as writes:
        Thread(target=serve_writes, args=(writes, listener), daemon=True).start()
        lifeline.ready()
        wait([lifeline.pipe])
