"""The cache of embeddings: the vector of each distinct text, in the data folder."""

import hashlib
import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np

from hybrid.errors import BuildFailed
from hybrid.vectors import Vectors

CACHE = "embeddings.sqlite"
"""In the data folder."""

BUSY_SECONDS = 60.0

LOOKUP = 500
"""Keys in one SELECT."""


def count_build(cache_file: Path) -> None:
    """Count one more build in the cache. Raises BuildFailed if it cannot be used."""
    with open_cache(cache_file) as cache:
        cache.execute(f"PRAGMA user_version = {builds(cache) + 1}")


def note_leaving(cache_file: Path, fingerprint: str, texts: Iterable[str]) -> None:
    """Note that the vectors of `texts`, which an index is about to lose, were needed until now.

    Raises BuildFailed if the cache cannot be used.
    """
    with open_cache(cache_file) as cache:
        note_uses(cache, (key_of(fingerprint, text) for text in texts))


def drop_vectors(cache_file: Path, fingerprint: str, texts: Iterable[str]) -> None:
    """Remove the vectors of `texts`. Raises BuildFailed if the cache cannot be used."""
    with open_cache(cache_file) as cache, cache:
        keys = ((key_of(fingerprint, text),) for text in texts)
        cache.executemany("DELETE FROM sentences WHERE key = ?", keys)


def builds(cache: sqlite3.Connection) -> int:
    """Return the number of builds that were counted."""
    number: int = cache.execute("PRAGMA user_version").fetchone()[0]
    return number


def key_of(fingerprint: str, text: str) -> bytes:
    """Return the key of a text's vector in the cache, 32 bytes."""
    return hashlib.sha256(f"{fingerprint}\0{text}".encode()).digest()


def hold_cache(cache_file: Path) -> sqlite3.Connection:
    """Return a connection that keeps the cache open, to be closed.

    While there is one, closing another does not move all that was written from the log to the file,
    which would sync both. Raises BuildFailed if the cache cannot be used.
    """
    with open_cache(cache_file):
        held = sqlite3.connect(cache_file, check_same_thread=False)
        held.execute("SELECT 1 FROM sqlite_master").fetchone()
        return held


def import_vectors(cache_file: Path, other: Path) -> int:
    """Copy the vectors of another cache into the cache; return how many it did not have.

    Raises BuildFailed if either cannot be used, and if the other is none.
    """
    uri = f"{other.absolute().as_uri()}?mode=ro"
    try:
        with closing(sqlite3.connect(uri, uri=True)) as opened:
            opened.execute("SELECT key, vector, crc FROM sentences LIMIT 1").fetchone()
    except sqlite3.DatabaseError as error:
        raise BuildFailed(
            f"{other} is not a cache of embeddings that can be read ({error}); expected the file "
            f"{CACHE} of a data folder"
        ) from error
    with open_cache(cache_file) as cache:
        cache.execute("ATTACH ? AS other", (uri,))
        before = cache.total_changes
        with cache:
            cache.execute("INSERT OR IGNORE INTO sentences SELECT * FROM other.sentences")
        added = cache.total_changes - before
        cache.execute("DETACH other")
    return added


@contextmanager
def open_cache(cache_file: Path) -> Iterator[sqlite3.Connection]:
    """Open the cache; create it if it is missing. Raises BuildFailed if it cannot be used."""
    uri = cache_file.absolute().as_uri()
    try:
        # Several processes may embed parts of a source into one cache: they wait for each other.
        with closing(sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS)) as cache:
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
    """Note that the current build needed these vectors."""
    number = builds(cache)
    with cache:
        cache.executemany(
            "INSERT OR REPLACE INTO uses VALUES (?, ?)", ((key, number) for key in keys)
        )


def present(cache: sqlite3.Connection, keys: Sequence[bytes]) -> list[bytes]:
    """Return the keys that are in the cache; their vectors may be damaged."""
    found: list[bytes] = []
    for start in range(0, len(keys), LOOKUP):
        some = keys[start : start + LOOKUP]
        marks = ",".join("?" * len(some))
        query = f"SELECT key FROM sentences WHERE key IN ({marks})"  # noqa: S608 (marks)
        found += (key for (key,) in cache.execute(query, some))
    return found


def store(cache: sqlite3.Connection, vectors: Mapping[bytes, bytes]) -> None:
    """Put vectors into the cache, float32 (d,) in bytes by their keys."""
    rows = ((key, vector, zlib.crc32(key + vector)) for key, vector in vectors.items())
    with cache:
        cache.executemany("INSERT OR REPLACE INTO sentences VALUES (?, ?, ?)", rows)


def stored(cache: sqlite3.Connection, keys: Sequence[bytes]) -> Iterator[tuple[bytes, bytes]]:
    """Yield the keys in the cache with their vectors, without damaged ones."""
    for start in range(0, len(keys), LOOKUP):
        some = keys[start : start + LOOKUP]
        marks = ",".join("?" * len(some))
        query = f"SELECT key, vector, crc FROM sentences WHERE key IN ({marks})"  # noqa: S608 (marks)
        rows = cache.execute(query, some)
        yield from ((key, vector) for key, vector, crc in rows if crc == zlib.crc32(key + vector))


def blocks_of(cache: sqlite3.Connection, keys: Sequence[bytes]) -> Iterator[Vectors]:
    """Yield the vectors of `keys` in their order, in blocks: all may not fit into memory."""
    for start in range(0, len(keys), LOOKUP):
        some = keys[start : start + LOOKUP]
        vectors = dict(stored(cache, list(set(some))))
        block = b"".join(vectors[key] for key in some)
        yield np.frombuffer(block, np.float32).reshape(len(some), -1)
