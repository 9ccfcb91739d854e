"""Keys of the services that tests ask."""

from pathlib import Path

from hybrid.access.access import Access
from hybrid.access.keys import KeyFolder, Scope


def keys_of(data: Path) -> KeyFolder:
    """Return the keys in a data folder."""
    return KeyFolder(data / "keys")


def key_in(data: Path, *scopes: Scope) -> str:
    """Create a key in a data folder, and return it."""
    return keys_of(data).create(scopes)[1]


def access_to(data: Path) -> Access:
    """Return the access by the keys in a data folder, reading open."""
    return Access(keys_of(data))
