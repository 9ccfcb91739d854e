"""The production server: gunicorn, one process of several threads."""

import errno
import socket
import sys
from contextlib import ExitStack
from typing import Any

import click
from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter
from gunicorn.http import message

from hybrid.errors import HybridError, InvalidInput
from hybrid.serving.writes import AT_ONCE
from hybrid.settings import Settings
from hybrid.storage.generation import CURRENT, open_readable
from hybrid.terminal.wait import wait_for

THREADS = 8

SWITCH_INTERVAL = 0.0005
"""Seconds after which a thread gives way to others, a tenth of the default: otherwise searches
are slow while a generation is opened."""

MAX_REQUEST_LINE = 32 * 1024
"""A query of 1,000 characters may take 12,000 bytes in a URL."""

# gunicorn's setting accepts no value between 8,190 and unlimited.
message.MAX_REQUEST_LINE = MAX_REQUEST_LINE


class Server(BaseApplication):  # type: ignore[misc]
    """gunicorn, configured here instead of from its command line."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._open = ExitStack()
        super().__init__()

    def load_config(self) -> None:
        """Set the options of gunicorn."""
        host, port = self._settings.host, self._settings.port
        for name, value in {
            "bind": f"[{host}]:{port}" if ":" in host else f"{host}:{port}",
            "worker_class": "gthread",
            # A change occupies a thread until it is published; searches must not wait for that.
            "threads": THREADS + (AT_ONCE if self._settings.writes == "on" else 0),
            "loglevel": "warning",
            "control_socket_disable": True,
            # Otherwise the header SCRIPT_NAME of a local client is an error 500.
            "forwarder_headers": "",
            "limit_request_line": MAX_REQUEST_LINE,
            "post_worker_init": _print_ready,
            "worker_exit": lambda _arbiter, _worker: self._open.close(),
        }.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        """Open the service and return it; all of it is closed when the worker exits."""
        # Engines start threads when they are imported, and threads do not survive the fork of the
        # worker: only the worker may import them.
        sys.setswitchinterval(SWITCH_INTERVAL)
        from hybrid.engines.factory import encoder_cache
        from hybrid.web.app import create_app
        from hybrid.wiring import follow, open_writes

        encoders = encoder_cache()
        try:
            watcher = follow(self._settings, encoders)
            self._open.callback(watcher.close)
            watcher.start()
            writes = None
            if self._settings.writes == "on":
                writes = open_writes(self._settings, encoders)
                self._open.callback(writes.close)
            return create_app(watcher.live, self._settings.poster_host, writes)
        except HybridError as error:
            click.echo(f"Error: {error.message}", err=True)
            sys.exit(Arbiter.APP_LOAD_ERROR)


def _print_ready(worker: Any) -> None:
    click.echo(f"ready: http://{worker.cfg.bind[0]}/ (Ctrl-C stops)")


def serve(settings: Settings) -> None:
    """Serve until the process is stopped; wait for the first index as long as the settings say.

    Raises GenerationUnusable without an index, InvalidInput if host and port cannot be bound.
    """
    data = settings.data
    wait_for(f"the first index in {data}", (data / CURRENT).exists, settings.wait)
    generation = open_readable(data)
    check_address(settings.host, settings.port)
    click.echo(
        f"generation {generation.manifest.name}, {generation.manifest.counts.movies:,} films"
    )
    Server(settings).run()


def check_address(host: str, port: int) -> None:
    """Raise InvalidInput if host and port cannot be bound: gunicorn retries for some seconds."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            taken = error.errno == errno.EADDRINUSE
            problem = "is taken: choose another with --port" if taken else f"{error.strerror}"
            raise InvalidInput(f"{host}:{port} {problem}", {"port": problem}) from error
