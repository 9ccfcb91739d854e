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
"""Seconds that a thread may keep Python from others, a tenth of the default: a search beside the
opening of a generation asks for it again and again."""

MAX_REQUEST_LINE = 32 * 1024
"""A query of 1,000 characters may be 12,000 long in an address."""

# gunicorn counts up to 8,190 however much more it is told, or without end.
message.MAX_REQUEST_LINE = MAX_REQUEST_LINE


class Server(BaseApplication):  # type: ignore[misc]
    """gunicorn, configured here and not from its command line."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._open = ExitStack()
        super().__init__()

    def load_config(self) -> None:
        """Set what gunicorn would be told on its command line."""
        host, port = self._settings.host, self._settings.port
        for name, value in {
            "bind": f"[{host}]:{port}" if ":" in host else f"{host}:{port}",
            "worker_class": "gthread",
            # A change waits for its publication, searches need not wait for changes.
            "threads": THREADS + (AT_ONCE if self._settings.writes == "on" else 0),
            "loglevel": "warning",
            "control_socket_disable": True,
            # Else a header SCRIPT_NAME of a client on this machine is a 500.
            "forwarder_headers": "",
            "limit_request_line": MAX_REQUEST_LINE,
            "post_worker_init": _say_ready,
            "worker_exit": lambda arbiter, worker: self._open.close(),
        }.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        """Return the service, open; what it opens is closed as the worker exits."""
        # Engines start threads when they are imported, and those would not survive the fork that
        # makes a worker: nothing but the worker may import them.
        sys.setswitchinterval(SWITCH_INTERVAL)
        from hybrid.engines.factory import encoder_cache
        from hybrid.web.app import create_app
        from hybrid.wiring import follow, open_writes

        encoders = encoder_cache()
        try:
            follower = follow(self._settings, encoders)
            self._open.callback(follower.close)
            follower.start()
            writes = None
            if self._settings.writes == "on":
                writes = open_writes(self._settings, encoders)
                self._open.callback(writes.close)
            return create_app(follower.live, self._settings.poster_host, writes)
        except HybridError as error:
            click.echo(f"Error: {error.message}", err=True)
            sys.exit(Arbiter.APP_LOAD_ERROR)


def _say_ready(worker: Any) -> None:
    click.echo(f"ready: http://{worker.cfg.bind[0]}/ (Ctrl-C stops)")


def serve(settings: Settings) -> None:
    """Serve until the process is told to stop; first wait for an index if the settings say so.

    Raises GenerationUnusable without an index, InvalidInput where the address cannot be had.
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
    """Fail at once and in plain words: gunicorn would try for some seconds."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            taken = error.errno == errno.EADDRINUSE
            problem = "is taken: choose another with --port" if taken else f"{error.strerror}"
            raise InvalidInput(f"{host}:{port} {problem}", {"port": problem}) from error
