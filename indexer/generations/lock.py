"""A generation is written in a folder of its own and becomes the published one in one step."""

import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep
from uuid import uuid4

from hybrid.errors import (
    AnotherWriter,
    GenerationUnusable,
)
from hybrid.storage import durable

WRITER = "WRITER"
"""Name of the file that is locked."""

PATIENCE = 60.0
"""Seconds that verify, repair and rollback wait for another that writes."""

LOCK_INTERVAL = 0.02
"""Seconds between two attempts to get the lock: less than a service leaves it between changes."""


@contextmanager
def writer_lock(data: Path, patience: float = 0.0) -> Iterator[None]:
    """Hold the data folder's lock, which dies with its process.

    Raises AnotherWriter if one has held it for `patience` seconds.
    """
    durable.make_folder(data)
    until = monotonic() + patience
    while True:
        # Not to be written to: some folders are only looked at.
        flags = os.O_RDONLY | os.O_CREAT | os.O_NOFOLLOW
        with os.fdopen(os.open(data / WRITER, flags, 0o644)) as file:
            if _locked(file.fileno(), data / WRITER):
                yield
                return
        if monotonic() >= until:
            raise AnotherWriter(
                f"another command is writing to {data}: wait for it, or use another --data folder"
            )
        sleep(LOCK_INTERVAL)


def _locked(descriptor: int, file: Path) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    # Somebody may have deleted it since it was opened, and another locked one made anew.
    try:
        return os.path.samestat(file.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def deployment_id(data: Path) -> str:
    """Return the UUID of this data folder, made on first use: it marks what is ours."""
    file = data / "DEPLOYMENT"
    if not file.exists():
        durable.replace(file, uuid4().hex)
    found = file.read_bytes().decode("ascii", "replace").strip()
    if not re.fullmatch("[0-9a-f]{32}", found):
        raise GenerationUnusable(
            f"{file} holds no UUID: restore it, or delete it and build the index again"
        )
    return found
