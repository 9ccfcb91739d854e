"""The production server: one process or, by default, one for each core, at one address.

Imports nothing that computes: the process that starts the others stays small.
"""

import errno
import os
import socket
import tempfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hybrid.errors import GenerationUnusable, InvalidInput
from hybrid.machine import available_memory, cores
from hybrid.monitoring import log
from hybrid.settings import Settings
from hybrid.storage.generation import (
    COLUMNS,
    CURRENT,
    KnownDigests,
    open_described,
    open_readable,
    published,
)
from hybrid.storage.manifest import FileDigest, Manifest
from hybrid.terminal.wait import wait_for
from hybrid.web.supervisor import Lifeline, Role, Supervisor

if TYPE_CHECKING:
    from hybrid.serving.workers import Worker

BACKLOG = 512
"""Connections that the kernel queues until the server accepts them."""

CHANGES = "CHANGES"
"""The socket in the folder of the workers that changes are sent to."""

MODEL = "encoder"
"""The folder of a generation's model."""

BASE_MEMORY = 160 << 20
"""Bytes that a worker needs besides twice its columns."""


def serve(settings: Settings) -> None:
    """Serve until the process is stopped; wait for the first index as long as the settings say.

    Raises GenerationUnusable without an index, InvalidInput if host and port cannot be bound.
    """
    log.configure(settings.log)
    data = settings.data
    wait_for(f"the first index in {data}", (data / CURRENT).exists, settings.wait)
    workers = settings.workers or default_workers(_manifest(data).files, settings.writes == "on")
    with closing(listen(settings.host, settings.port)) as listener:
        if workers > 1:
            serve_by_workers(settings, listener, workers)
            return
        # Nothing of it is imported before: it takes a second, and errors should not.
        with ThreadPoolExecutor(1) as pool:
            digests = pool.submit(check_files, data)
            from hybrid.web.worker import serve_alone
        serve_alone(settings, listener, digests.result(), partial(announce, settings))


def check_files(data: Path) -> KnownDigests:
    """Check the files of the generation that can be served, name it, and return their digests.

    Raises GenerationUnusable.
    """
    digests: KnownDigests = {}
    manifest = open_readable(data, digests).manifest
    click.echo(f"generation {manifest.name}, {manifest.counts.movies:,} films")
    return digests


def announce(settings: Settings) -> None:
    """Say that requests are answered, and where."""
    host, port = settings.host, settings.port
    url = f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"
    click.echo(f"ready: {url} (Ctrl-C stops)")


def serve_by_workers(settings: Settings, listener: socket.socket, workers: int) -> None:
    """Serve by so many processes, and one more that publishes changes, until a signal stops them.

    Raises what keeps one of them from starting.
    """
    from hybrid.serving.remote_writes import listen as listen_for_changes
    from hybrid.serving.workers import Worker, WorkerTable

    with tempfile.TemporaryDirectory(prefix="hybrid-") as temporary:
        folder = Path(temporary)
        _prepare_environment(folder, workers)
        table = WorkerTable(workers)

        def role(number: int) -> Role:
            def ended(process: int) -> None:
                table.leave(number)
                _forget(process)

            worker = Worker(number, table, folder)
            return Role(f"worker {number + 1}", partial(_serve, settings, listener, worker), ended)

        roles = [role(number) for number in range(workers)]
        if settings.writes == "on":
            changes = listen_for_changes(folder / CHANGES)
            publish = partial(_publish, settings, listener, changes)
            roles.append(Role("publisher", publish, _forget, order=1))
        Supervisor(
            roles,
            prepare=partial(check_files, settings.data),
            announce=partial(announce, settings),
            # Closed here first: otherwise connections would wait for the workers that are gone.
            leave=listener.close,
        ).run()


def _manifest(data: Path) -> Manifest:
    """Return the manifest of the published generation or, if it is damaged, the previous one."""
    try:
        return open_described(data, published(data)[0]).manifest
    except GenerationUnusable:
        for entry in published(data)[1:]:
            with suppress(GenerationUnusable):
                return open_described(data, entry).manifest
        raise


def default_workers(files: Mapping[str, FileDigest], writes: bool = False) -> int:
    """Return how many workers there are unless the settings say so: the cores, if memory allows.

    `files` are those of the generation. Where changes are accepted, one more process needs memory.
    """
    sizes = {name: digest.size for name, digest in files.items()}
    models = sum(size for name, size in sizes.items() if name.startswith(f"{MODEL}/"))
    each = BASE_MEMORY + 2 * sizes[COLUMNS]
    memory = available_memory()
    # All of them map the models.
    fitting = cores() if memory is None else (memory - models) // each - writes
    return max(1, min(cores(), fitting))


def _prepare_environment(folder: Path, workers: int) -> None:
    """Set what libraries read when they are loaded, which processes that are forked inherit."""
    metrics = folder / "metrics"
    metrics.mkdir()
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(metrics)
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, cores() // workers)))


def _serve(
    settings: Settings,
    listener: socket.socket,
    worker: "Worker",
    lifeline: Lifeline,
) -> None:
    """Serve as one of several workers."""
    from hybrid.web.worker import serve_among_others

    serve_among_others(settings, listener, worker, lifeline)


def _publish(
    settings: Settings, listener: socket.socket, changes: socket.socket, lifeline: Lifeline
) -> None:
    """Publish the changes that workers are sent."""
    listener.close()
    from hybrid.web.publisher import publish

    publish(settings, changes, lifeline)


def _forget(process: int) -> None:
    """Remove what a process that has ended told of its present state in the metrics."""
    from prometheus_client.multiprocess import mark_process_dead

    mark_process_dead(process)  # type: ignore[no-untyped-call]


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
