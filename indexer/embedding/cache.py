"""Sentences to vectors, each distinct text once in the life of the data folder."""

import hashlib
import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np

from hybrid.errors import BuildFailed
from hybrid.vectors import Vectors

CACHE = "embeddings.sqlite"
"""In the data folder."""

LOOKUP = 500
"""Keys in one SELECT."""


def count_build(cache_file: Path) -> None:
    """Count one more build in the cache. Raises BuildFailed where it cannot be used."""
    with open_cache(cache_file) as cache:
        cache.execute(f"PRAGMA user_version = {builds(cache) + 1}")


def note_leaving(cache_file: Path, fingerprint: str, texts: Iterable[str]) -> None:
    """Note that the vectors of `texts`, which an index is about to lose, were needed until now.

    Raises BuildFailed where the cache cannot be used.
    """
    with open_cache(cache_file) as cache:
        note_uses(cache, {key_of(fingerprint, text) for text in texts})


def builds(cache: sqlite3.Connection) -> int:
    """Return how many builds were counted."""
    number: int = cache.execute("PRAGMA user_version").fetchone()[0]
    return number


def key_of(fingerprint: str, text: str) -> bytes:
    """Return the key of a text's vector in the cache, 32 bytes."""
    return hashlib.sha256(f"{fingerprint}\0{text}".encode()).digest()


@contextmanager
def open_cache(cache_file: Path) -> Iterator[sqlite3.Connection]:
    """Open the cache, or make it. Raises BuildFailed where it cannot be used."""
    try:
        with closing(sqlite3.connect(cache_file)) as cache:
            cache.execute("PRAGMA journal_mode=WAL")
            cache.execute("PRAGMA synchronous=NORMAL")
            cache.execute("DROP TABLE IF EXISTS vectors")  # of an earlier version, no checksums
            cache.execute(
                "CREATE TABLE IF NOT EXISTS sentences"
                " (key BLOB PRIMARY KEY, vector BLOB NOT NULL, crc INTEGER NOT NULL)"
            )
            # Beside the vectors, which would be written again with every new number.
            cache.execute(
                "CREATE TABLE IF NOT EXISTS uses"
                " (key BLOB PRIMARY KEY, build INTEGER NOT NULL) WITHOUT ROWID"
            )
            yield cache
    except sqlite3.DatabaseError as error:
        raise BuildFailed(
            f"the embedding cache {cache_file} cannot be used ({error}); "
            "make room on the disk, or delete the file: it is made anew"
        ) from error


def note_uses(cache: sqlite3.Connection, keys: Iterable[bytes]) -> None:
    """Note of these vectors which build needed them last."""
    number = builds(cache)
    with cache:
        cache.executemany(
            "INSERT OR REPLACE INTO uses VALUES (?, ?)", ((key, number) for key in keys)
        )


def stored(cache: sqlite3.Connection, keys: Sequence[bytes]) -> Iterator[tuple[bytes, bytes]]:
    """Give those of the keys that there are with their vectors; a damaged one is not there."""
    for start in range(0, len(keys), LOOKUP):
        some = keys[start : start + LOOKUP]
        marks = ",".join("?" * len(some))
        rows = cache.execute(f"SELECT key, vector, crc FROM sentences WHERE key IN ({marks})", some)
        yield from ((key, vector) for key, vector, crc in rows if crc == zlib.crc32(key + vector))


def blocks_of(cache: sqlite3.Connection, keys: Sequence[bytes]) -> Iterator[Vectors]:
    """Give the vectors of `keys` in their order, some at a time: all may not fit into memory."""
    for start in range(0, len(keys), LOOKUP):
        some = keys[start : start + LOOKUP]
        found = dict(stored(cache, list(set(some))))
        yield np.frombuffer(b"".join(found[key] for key in some), np.float32).reshape(len(some), -1)
