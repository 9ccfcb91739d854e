"""Files that are replaced as a whole, and what is written kept whatever comes."""

import os
from pathlib import Path


def replace(file: Path, text: str) -> None:
    """Write `file` anew: a reader, or whoever comes after a crash, finds the old text or the new.

    Raises OSError, and then leaves nothing beside it.
    """
    new = file.with_name(f".{file.name}.new")
    try:
        new.write_text(text, encoding="utf-8", newline="\n")
        sync(new)
        new.replace(file)
    finally:
        new.unlink(missing_ok=True)
    sync(file.parent)


def sync(path: Path) -> None:
    """Return once a file, or the names in a folder, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
