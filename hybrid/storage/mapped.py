"""Files that a process has mapped into memory: one that generations share is mapped once.

A mapping has a table of the pages that were read through it, which a new one would fill anew.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar
from weakref import WeakValueDictionary

from hybrid.storage.manifest import FileIdentity, identity

T = TypeVar("T")

_opened: WeakValueDictionary[FileIdentity, Any] = WeakValueDictionary()


def mapped(file: Path, read: Callable[[Path], T]) -> T:
    """Return what `read` makes of a file that never changes, or made of it and is in use still."""
    key = identity(file)
    found: T | None = _opened.get(key)
    if found is None:
        found = _opened[key] = read(file)
    return found
