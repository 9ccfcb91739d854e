"""When each key was last used: to the hour, so that a file is written once an hour, not a request.

A service that may only read the folder of the keys cannot keep this: its uses are not listed.
"""

import fcntl
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Lock

from hybrid.storage.durable import replace

PRECISION = timedelta(hours=1)
"""How exactly the last use is known."""


class LastUse:
    """Notes uses of keys in the folder of the keys. Safe to share between threads."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._noted: dict[str, datetime] = {}
        self._lock = Lock()

    def note(self, key_id: str, now: datetime | None = None) -> None:
        """Note that a key is used, unless that was noted within the hour. Never raises."""
        now = now or datetime.now(UTC)
        with self._lock:
            noted = self._noted.get(key_id)
            if noted and now - noted < PRECISION:
                return
            self._noted[key_id] = now
        try:
            with _locked(self._folder):
                replace(last_use_file(self._folder, key_id), now.isoformat(timespec="minutes"))
        except OSError as error:
            logging.getLogger(__name__).info("the use of key %s is not kept: %s", key_id, error)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Lock the folder: several workers may note a use of the same key. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def last_use_file(folder: Path, key_id: str) -> Path:
    """Return the file that says when this key was last used."""
    return folder / f"{key_id}.used"


def last_use(folder: Path, key_id: str) -> datetime | None:
    """Return when a use of this key was noted last, None if never."""
    with suppress(OSError, ValueError):
        return datetime.fromisoformat(last_use_file(folder, key_id).read_text("ascii"))
    return None
