"""The production server: uvicorn, one process of several threads."""

import errno
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from functools import partial

import click
import uvicorn

from hybrid.access.access import open_access
from hybrid.errors import InvalidInput
from hybrid.monitoring import log, tracing
from hybrid.settings import Settings
from hybrid.storage.generation import CURRENT, open_readable
from hybrid.terminal.wait import wait_for
from hybrid.web.admission import Lanes
from hybrid.web.connection import Clients, Connection
from hybrid.web.gateway import Gateway

SWITCH_INTERVAL = 0.0005
"""Seconds after which a thread gives way to others, a tenth of the default: otherwise searches
are slow while a generation is opened."""

BACKLOG = 512
"""Connections that the kernel queues until the server accepts them."""

KEEP_ALIVE = 5
"""Seconds after a response that a connection stays open for another request."""

GRACE = 30
"""Seconds for the requests in progress when the server is stopped."""


class Server(uvicorn.Server):
    """uvicorn, which prints when it is ready and answers requests in progress when it stops."""

    def __init__(self, config: uvicorn.Config, clients: Clients, url: str) -> None:
        super().__init__(config)
        self._clients = clients
        self._url = url

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept connections."""
        await super().startup(sockets)
        click.echo(f"ready: {self._url} (Ctrl-C stops)")

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept no more connections, and wait for those that are open."""
        self._clients.stopping = True
        await super().shutdown(sockets)


def serve(settings: Settings) -> None:
    """Serve until the process is stopped; wait for the first index as long as the settings say.

    Raises GenerationUnusable without an index, InvalidInput if host and port cannot be bound.
    """
    log.configure(settings.log)
    data = settings.data
    wait_for(f"the first index in {data}", (data / CURRENT).exists, settings.wait)
    generation = open_readable(data)
    with closing(listen(settings.host, settings.port)) as listener:
        click.echo(
            f"generation {generation.manifest.name}, {generation.manifest.counts.movies:,} films"
        )
        with application(settings) as gateway:
            for stop in (signal.SIGINT, signal.SIGTERM):
                # uvicorn stops at these, and raises them again once it has stopped.
                signal.signal(stop, lambda *_: None)
            server(settings, gateway).run([listener])


def server(settings: Settings, gateway: Gateway) -> Server:
    """Return the server in front of `gateway`, not started yet."""
    clients = Clients(settings.connections, settings.read_deadline, settings.write_deadline)
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
        backlog=BACKLOG,
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=GRACE,
    )
    host, port = settings.host, settings.port
    url = f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"
    return Server(config, clients, url)


@contextmanager
def application(settings: Settings) -> Iterator[Gateway]:
    """Open the service. It is closed in order: first requests, then changes, then what is read."""
    sys.setswitchinterval(SWITCH_INTERVAL)
    # These imports take a second, and an error of host or port should not.
    from hybrid.engines.factory import encoder_cache
    from hybrid.web.app import create_app
    from hybrid.web.request_log import LogOptions
    from hybrid.wiring import follow, open_writes

    encoders = encoder_cache()
    with ExitStack() as opened:
        if settings.otel_endpoint:
            opened.callback(tracing.start(settings.otel_endpoint))
        watcher = opened.enter_context(closing(follow(settings, encoders)))
        watcher.start()
        writes = None
        if settings.writes == "on":
            writes = opened.enter_context(closing(open_writes(settings, encoders)))
        options = LogOptions(settings.slow, queries=settings.log_queries == "on")
        access = open_access(settings)
        app = create_app(watcher.live, settings.poster_host, writes, access, options)
        lanes = opened.enter_context(closing(Lanes(settings.max_wait)))
        yield Gateway(app, lanes)


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket. Raises InvalidInput if host and port cannot be bound."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol, or asyncio leaves Nagle's algorithm on: 40 ms on a connection that is kept.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        taken = error.errno == errno.EADDRINUSE
        problem = "is taken: choose another with --port" if taken else f"{error.strerror}"
        raise InvalidInput(f"{host}:{port} {problem}", {"port": problem}) from error
    return listener


def check_address(host: str, port: int) -> None:
    """Raise InvalidInput if host and port cannot be bound, before anything that takes long."""
    listen(host, port).close()
