"""A process that serves: uvicorn, one event loop and several threads."""

import asyncio
import gc
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from functools import partial
from math import ceil

import uvicorn

from hybrid.access.access import open_access
from hybrid.engines.factory import EncoderCache
from hybrid.monitoring import tracing
from hybrid.serving.live_search import LiveSearch
from hybrid.serving.remote_writes import RemoteWrites
from hybrid.serving.workers import Worker
from hybrid.serving.writes import Writes
from hybrid.settings import Settings
from hybrid.storage.generation import KnownDigests
from hybrid.web.acceptor import Acceptor
from hybrid.web.admission import Lanes
from hybrid.web.api.health import update_metrics
from hybrid.web.app import create_app
from hybrid.web.connection import Clients, Connection
from hybrid.web.gateway import Gateway
from hybrid.web.overload import Overload
from hybrid.web.request_log import LogOptions
from hybrid.web.server import CHANGES
from hybrid.web.supervisor import STOPS, Lifeline
from hybrid.wiring import follow, open_writes

SWITCH_INTERVAL = 0.0005
"""Seconds after which a thread gives way to others, a tenth of the default: otherwise searches
are slow while a generation is opened."""

KEEP_ALIVE = 5
"""Seconds after a response that a connection stays open for another request."""

GRACE = 30
"""Seconds for the requests in progress when the server is stopped."""

ALONE = Worker()


@dataclass(frozen=True)
class Life:
    """What a server tells and is told.

    `started` is called once it accepts connections, `each_second` about so often, and it stops
    once `stop` is readable.
    """

    started: Callable[[], None] = lambda: None
    each_second: Callable[[], None] = lambda: None
    stop: Lifeline | None = None


class Server(uvicorn.Server):
    """uvicorn, which takes turns with other workers, and answers what is in progress at a stop."""

    def __init__(self, config: uvicorn.Config, clients: Clients, life: Life) -> None:
        super().__init__(config)
        self._clients = clients
        self._life = life
        self._acceptor: Acceptor | None = None

    @property
    def accepting(self) -> bool:
        """Whether connections are accepted."""
        return self._acceptor is not None and self._acceptor.accepting

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept connections from the one listening socket."""
        await super().startup([])
        (listener,) = sockets or []
        self._acceptor = Acceptor(listener, self._clients.worker, self._connection)
        self._acceptor.start()
        if self._life.stop is not None:
            asyncio.get_running_loop().add_reader(self._life.stop, self._told_to_stop)
        self._life.started()

    async def on_tick(self, counter: int) -> bool:
        """Do what is done every second; return whether to stop."""
        if counter % 10 == 0:
            self._life.each_second()
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept no more connections, and wait for those that are open."""
        self._clients.stopping = True
        if self._acceptor is not None:
            self._acceptor.stop()
        await super().shutdown(sockets)

    def _connection(self) -> asyncio.Protocol:
        protocol: asyncio.Protocol = self.config.http_protocol_class(  # type: ignore[call-arg]
            config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )
        return protocol

    def _told_to_stop(self) -> None:
        asyncio.get_running_loop().remove_reader(self._life.stop)  # type: ignore[arg-type]
        self.should_exit = True


def server(
    settings: Settings, gateway: Gateway, worker: Worker = ALONE, life: Life = Life()
) -> Server:
    """Return the server in front of `gateway`, not started yet."""
    clients = Clients(
        ceil(settings.connections / worker.of),
        settings.read_deadline,
        settings.write_deadline,
        worker,
    )
    config = uvicorn.Config(
        gateway,
        http=partial(Connection, clients),  # type: ignore[arg-type]
        loop="asyncio",
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="error",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=GRACE,
    )
    return Server(config, clients, life)


@dataclass(frozen=True)
class Application:
    """What a worker serves, and what it counts."""

    gateway: Gateway
    live: LiveSearch

    def update_metrics(self) -> None:
        """Update the metrics that are not counted as things happen."""
        update_metrics(self.live)


@contextmanager
def application(
    settings: Settings, digests: KnownDigests | None = None, worker: Worker = ALONE
) -> Iterator[Application]:
    """Open the service. It is closed in order: first requests, then changes, then what is read.

    Several workers leave changes to another process.
    """
    sys.setswitchinterval(SWITCH_INTERVAL)
    encoders = EncoderCache()
    with ExitStack() as opened:
        if settings.otel_endpoint:
            opened.callback(tracing.start(settings.otel_endpoint))
        watcher = opened.enter_context(
            closing(follow(settings, encoders.of_queries, digests, worker))
        )
        watcher.start()
        writes: Writes | None = None
        if settings.writes == "on" and worker.folder is not None:
            writes = RemoteWrites(worker.folder / CHANGES)
        elif settings.writes == "on":
            writes = opened.enter_context(closing(open_writes(settings, encoders.of_films)))
        options = LogOptions(settings.slow, queries=settings.log_queries == "on")
        access = open_access(settings)
        app = create_app(watcher.live, settings.poster_host, writes, access, options)
        lanes = opened.enter_context(closing(Lanes(settings.max_wait, worker.of)))
        yield Application(Gateway(app, lanes, Overload(app)), watcher.live)


def serve_alone(
    settings: Settings,
    listener: socket.socket,
    digests: KnownDigests,
    announce: Callable[[], None],
) -> None:
    """Serve in this process, the only one, until a signal stops it."""
    _keep_modules()
    with application(settings, digests) as opened:
        _run(server(settings, opened.gateway, life=Life(announce, opened.update_metrics)), listener)


def serve_among_others(
    settings: Settings,
    listener: socket.socket,
    worker: Worker,
    lifeline: Lifeline,
) -> None:
    """Serve in this process, one of several, until it is told to stop.

    It is sent the digests of the files that were checked.
    """
    worker.opens()
    _keep_modules()
    with application(settings, lifeline.prepared(), worker) as opened:
        life = Life(lifeline.ready, opened.update_metrics, lifeline)
        _run(server(settings, opened.gateway, worker, life), listener)


def _keep_modules() -> None:
    """Leave what the modules hold, 100,000 objects, out of garbage collection.

    A full collection would visit them again each time, while no request is answered: for 60 ms.
    """
    gc.freeze()


def _run(server: Server, listener: socket.socket) -> None:
    for stop in STOPS:
        # uvicorn stops at these, and raises them again once it has stopped.
        signal.signal(stop, lambda *_: None)
    server.run([listener])
