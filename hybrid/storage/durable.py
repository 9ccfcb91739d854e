"""Files that are replaced as a whole, and folders and files that outlast a power cut."""

import os
from pathlib import Path


def replace(file: Path, text: str) -> None:
    """Write `file` anew: a reader, or whoever comes after a crash, finds the old text or the new.

    Raises OSError, and then leaves nothing beside it. The file may have its new text even then, if
    only the last sync failed.
    """
    new = file.with_name(f".{file.name}.new")
    # A crash may have left it, or somebody may have put a link there.
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


def make_folder(folder: Path) -> None:
    """Make a folder and those above it that are missing, all of them on the disk on return.

    Raises OSError.
    """
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    sync(folder.parent)


def sync(path: Path) -> None:
    """Return once a file, or the names in a folder, are on the disk. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
