"""Removing from the cache of embeddings what no index is likely to need again."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from hybrid.storage.catalogue import Catalogue
from hybrid.storage.generation import Generation, open_published, published
from indexer.embedding.cache import CACHE, builds, key_of, open_cache
from indexer.generations import lock


@dataclass(frozen=True)
class CacheSize:
    """Vectors in the cache, and the bytes of its file."""

    entries: int
    size: int


def tidy(data: Path, unused: int) -> tuple[CacheSize, CacheSize]:
    """Drop the vectors that no generation has needed for `unused` builds; return both sizes.

    Those of the published generation and the one before stay. An update from a file counts as a
    build. Raises GenerationUnusable if one of these generations cannot be read, BuildFailed if the
    cache cannot be used, AnotherWriter if another writer holds the lock for a minute.
    """
    with lock.writer_lock(data, lock.PATIENCE), open_cache(data / CACHE) as cache:
        before = _size(cache, data / CACHE)
        with cache:
            cache.execute("CREATE TEMP TABLE needed (key BLOB PRIMARY KEY) WITHOUT ROWID")
            for line in published(data):
                keys = _keys_of(open_published(data, line))
                cache.executemany("INSERT OR IGNORE INTO needed VALUES (?)", keys)
            # Vectors of an earlier version have no build: they count as of build 0.
            cache.execute(
                "DELETE FROM sentences WHERE key NOT IN (SELECT key FROM needed)"
                " AND coalesce((SELECT build FROM uses WHERE uses.key = sentences.key), 0) <= ?",
                (builds(cache) - unused,),
            )
            cache.execute("DELETE FROM uses WHERE key NOT IN (SELECT key FROM sentences)")
        cache.execute("VACUUM")
        cache.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return before, _size(cache, data / CACHE)


def _keys_of(generation: Generation) -> Iterator[tuple[bytes]]:
    """Yield the keys of all sentences of a generation, each as a row."""
    fingerprints = [model.fingerprint for model in generation.manifest.models]
    with closing(Catalogue(generation.folder)) as catalogue:
        for text in catalogue.all_sentences():
            yield from ((key_of(fingerprint, text),) for fingerprint in fingerprints)


def _size(cache: sqlite3.Connection, file: Path) -> CacheSize:
    """Return the size of the cache after a checkpoint."""
    cache.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    (entries,) = cache.execute("SELECT count(*) FROM sentences").fetchone()
    return CacheSize(entries, file.stat().st_size)
