"""Where temporary folders are made: in memory, where the system has such."""

import os
import shutil
import tempfile
from pathlib import Path

MEMORY = Path("/dev/shm")  # noqa: S108, what is made in it has a random name
"""A file system in memory, on Linux: what is written there need not wait for a disk."""


def scratch_folder(prefix: str, size: int = 0) -> Path:
    """Make a folder, in memory if there is room for `size` bytes. Raises OSError."""
    in_memory = os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > size
    return Path(tempfile.mkdtemp(prefix=prefix, dir=MEMORY if in_memory else None))


def remove_leftovers(prefix: str) -> None:
    """Remove the folders of this prefix that killed processes of this user left."""
    for parent in (MEMORY, Path(tempfile.gettempdir())):
        for folder in parent.glob(f"{prefix}*"):
            if not folder.is_symlink() and folder.stat().st_uid == os.getuid():
                shutil.rmtree(folder, ignore_errors=True)
