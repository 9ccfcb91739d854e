"""Sentences to vectors, each distinct text once in the life of the data folder."""

import hashlib
import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Protocol

import numpy as np

from hybrid.encoder import Encoder, Vectors
from hybrid.errors import BuildFailed

CACHE = "embeddings.sqlite"
"""In the data folder."""

CHUNK = 512
"""Texts encoded at once: the model sorts them by length so that batches hold little padding, and
a kill costs no more than them."""

BATCH = 32

LOOKUP = 500
"""Keys in one SELECT."""


class Embedder(Encoder, Protocol):
    """An encoder that knows its name by content: equal fingerprints give equal vectors."""

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the model."""
        ...


@dataclass(frozen=True)
class Exported:
    """The model of a generation as it was exported: it embeds what is changed without torch."""

    fingerprint: str
    encoder: Encoder

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return float32 (len(texts), dimension); batches of like length hold little padding."""
        order = sorted(range(len(texts)), key=lambda place: len(texts[place]))
        rows: dict[int, Vectors] = {}
        for start in range(0, len(order), BATCH):
            places = order[start : start + BATCH]
            vectors = self.encoder.encode([texts[place] for place in places])
            rows |= zip(places, vectors, strict=True)
        return np.array([rows[place] for place in range(len(texts))], np.float32)


@dataclass(frozen=True)
class Embedded:
    """How a list of texts came by its vectors: how many, how many distinct, how many encoded."""

    texts: int
    distinct: int
    encoded: int


def embed(
    texts: Sequence[str],
    model: Embedder,
    cache_file: Path,
    out_file: Path,
    quiet: bool = False,
    more: Vectors | None = None,
    anew: bool = False,
) -> Embedded:
    """Write the vectors of `texts` to `out_file` as a .npy array, float32 (rows, dimension), and
    after them the rows of `more`.

    Vectors come from the cache where model and text are known, unless all are embedded `anew`, else
    from the model and into the cache. Raises BuildFailed where the cache cannot be used.
    """
    keys = [key_of(model.fingerprint, text) for text in texts]
    distinct = dict(zip(keys, texts, strict=True))
    with open_cache(cache_file) as cache:
        known = set() if anew else {key for key, _ in _stored(cache, list(distinct))}
        missing = {key: text for key, text in distinct.items() if key not in known}
        _encode_into(cache, missing, model, quiet)
        _note_uses(cache, distinct)
        write_npy(out_file, len(keys), _blocks(cache, keys), more)
    return Embedded(len(texts), len(distinct), len(missing))


def count_build(cache_file: Path) -> None:
    """Count one more build in the cache. Raises BuildFailed where it cannot be used."""
    with open_cache(cache_file) as cache:
        cache.execute(f"PRAGMA user_version = {builds(cache) + 1}")


def note_leaving(cache_file: Path, fingerprint: str, texts: Iterable[str]) -> None:
    """Note that the vectors of `texts`, which an index is about to lose, were needed until now.

    Raises BuildFailed where the cache cannot be used.
    """
    with open_cache(cache_file) as cache:
        _note_uses(cache, {key_of(fingerprint, text) for text in texts})


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


def _note_uses(cache: sqlite3.Connection, keys: Iterable[bytes]) -> None:
    """Note of these vectors which build needed them last."""
    number = builds(cache)
    with cache:
        cache.executemany(
            "INSERT OR REPLACE INTO uses VALUES (?, ?)", ((key, number) for key in keys)
        )


def _stored(cache: sqlite3.Connection, keys: Sequence[bytes]) -> Iterator[tuple[bytes, bytes]]:
    """Give those of the keys that there are with their vectors; a damaged one is not there."""
    for start in range(0, len(keys), LOOKUP):
        some = keys[start : start + LOOKUP]
        marks = ",".join("?" * len(some))
        rows = cache.execute(f"SELECT key, vector, crc FROM sentences WHERE key IN ({marks})", some)
        yield from ((key, vector) for key, vector, crc in rows if crc == zlib.crc32(key + vector))


def _encode_into(
    cache: sqlite3.Connection, missing: dict[bytes, str], model: Embedder, quiet: bool
) -> None:
    items = list(missing.items())
    starts: Iterable[int] = range(0, len(items), CHUNK)
    if items and not quiet:
        from tqdm import tqdm

        starts = tqdm(starts, unit_scale=CHUNK, unit=" sentences", desc="embedding")
    for start in starts:
        chunk = items[start : start + CHUNK]
        vectors = model.encode([text for _, text in chunk])
        pairs = [(key, row.tobytes()) for (key, _), row in zip(chunk, vectors, strict=True)]
        rows = [(key, vector, zlib.crc32(key + vector)) for key, vector in pairs]
        with cache:
            cache.executemany("INSERT OR REPLACE INTO sentences VALUES (?, ?, ?)", rows)


def _blocks(cache: sqlite3.Connection, keys: Sequence[bytes]) -> Iterator[Vectors]:
    """Give the vectors of `keys` in their order, some at a time: all may not fit into memory."""
    for start in range(0, len(keys), LOOKUP):
        some = keys[start : start + LOOKUP]
        found = dict(_stored(cache, list(set(some))))
        yield np.frombuffer(b"".join(found[key] for key in some), np.float32).reshape(len(some), -1)


def write_npy(file: Path, rows: int, blocks: Iterable[Vectors], more: Vectors | None) -> None:
    """Write `rows` vectors that come in blocks, and after them those of `more`.

    Written and not memory-mapped: on a full disk a write raises, where a mapping ends the process.
    """
    last = np.empty((0, 0), np.float32) if more is None else more
    with file.open("wb") as out:
        for number, block in enumerate(chain(blocks, [last])):
            if number == 0:
                shape = (rows + len(last), block.shape[1])
                header = {"descr": "<f4", "fortran_order": False, "shape": shape}
                np.lib.format.write_array_header_1_0(out, header)
            out.write(np.ascontiguousarray(block).data)
