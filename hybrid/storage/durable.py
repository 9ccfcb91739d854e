"""Files that are replaced atomically, and files and folders that survive a power cut."""

import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

SYNCS = 16
"""Files synced at the same time: together they take little longer than one."""


def replace(file: Path, text: str) -> None:
    """Replace the content of `file`: readers find the old text or the new, even after a crash.

    Raises OSError and leaves no temporary file then. If only the last sync failed, the file may
    have its new text nevertheless.
    """
    new = file.with_name(f".{file.name}.new")
    # A crash may have left one, or somebody may have put a link there.
    new.unlink(missing_ok=True)
    try:
        # "x" creates the file or fails: a symbolic link is never followed.
        with new.open("x", encoding="utf-8", newline="\n") as out:
            out.write(text)
        sync(new)
        new.replace(file)
    finally:
        new.unlink(missing_ok=True)
    sync(file.parent)


def remove(file: Path) -> None:
    """Remove a file that exists, even if the power is cut afterwards. Raises OSError."""
    file.unlink()
    sync(file.parent)


def make_folder(folder: Path) -> None:
    """Create a folder and its missing parents, and sync all of them to disk.

    Raises OSError.
    """
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    sync(folder.parent)


def sync(path: Path) -> None:
    """Sync a file, or the entries of a folder, to disk. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_all(paths: Iterable[Path]) -> None:
    """Sync files and the entries of folders to disk. Raises OSError once all were tried."""
    with ThreadPoolExecutor(SYNCS) as pool:
        syncs = [pool.submit(sync, path) for path in paths]
    for done in syncs:
        done.result()
