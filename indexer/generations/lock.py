"""The lock of a data folder, and its name."""

import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import IO
from uuid import uuid4

from hybrid.errors import AnotherWriter, GenerationUnusable
from hybrid.storage import durable

WRITER, MERGER = "WRITER", "MERGER"
"""The files that are locked: by who writes, and for long by who merges and lets others write."""

PATIENCE = 60.0
"""Seconds that verify, repair and rollback wait for another writer."""

LOCK_INTERVAL = 0.02
"""Seconds between attempts to get the lock: less than a service leaves it free between changes."""


@contextmanager
def writer_lock(data: Path, patience: float = 0.0) -> Iterator[None]:
    """Hold the lock of the data folder; the system releases it if the process dies.

    Raises AnotherWriter if another process holds it for `patience` seconds.
    """
    durable.make_folder(data)
    until = monotonic() + patience
    while True:
        with _open(data / WRITER) as file:
            if _locked(file.fileno(), data / WRITER):
                yield
                return
        if monotonic() >= until:
            raise AnotherWriter(
                f"another command is writing to {data}: wait for it, or use another --data folder"
            )
        sleep(LOCK_INTERVAL)


@contextmanager
def merger_lock(data: Path) -> Iterator[bool]:
    """Hold the lock of who merges, if nobody else does; give whether it is held."""
    with _open(data / MERGER) as file:
        yield _locked(file.fileno(), data / MERGER)


def _open(file: Path) -> IO[str]:
    # Only for reading: some data folders cannot be written to.
    return os.fdopen(os.open(file, os.O_RDONLY | os.O_CREAT | os.O_NOFOLLOW, 0o644))


def _locked(descriptor: int, file: Path) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    # The file may have been deleted since it was opened, and another created and locked.
    try:
        return os.path.samestat(file.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def deployment_id(data: Path) -> str:
    """Return the UUID of this data folder, which marks its indices; it is created on first use."""
    file = data / "DEPLOYMENT"
    if not file.exists():
        durable.replace(file, uuid4().hex)
    name = file.read_bytes().decode("ascii", "replace").strip()
    if not re.fullmatch("[0-9a-f]{32}", name):
        raise GenerationUnusable(
            f"{file} holds no UUID: restore it, or delete it and build the index again"
        )
    return name
