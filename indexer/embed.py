"""Sentences to vectors, each distinct text once in the life of the data folder."""

import hashlib
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from hybrid.errors import BuildFailed
from indexer.model import Model

CHUNK = 512
"""Texts encoded at once: the model sorts them by length so that batches hold little padding, and
a kill costs no more than them."""

LOOKUP = 500
"""Keys in one SELECT."""


@dataclass(frozen=True)
class Embedded:
    """How a list of texts came by its vectors: how many, how many distinct, how many encoded."""

    texts: int
    distinct: int
    encoded: int


def embed(
    texts: Sequence[str], model: Model, cache_file: Path, out_file: Path, quiet: bool = False
) -> Embedded:
    """Write the vectors of `texts` to `out_file` as a .npy array, float32 (len(texts), dimension).

    Vectors come from the cache where model and text are known, else from the model and into the
    cache. Raises BuildFailed where the cache cannot be used.
    """
    keys = [_key(model.fingerprint, text) for text in texts]
    distinct = dict(zip(keys, texts, strict=True))
    try:
        with closing(_open(cache_file)) as cache:
            known = {key for key, _ in _stored(cache, list(distinct))}
            missing = {key: text for key, text in distinct.items() if key not in known}
            _encode_into(cache, missing, model, quiet)
            _write_npy(cache, keys, out_file)
    except sqlite3.DatabaseError as error:
        raise BuildFailed(
            f"the embedding cache {cache_file} cannot be used ({error}); "
            "make room on the disk, or delete the file: it is made anew"
        ) from error
    return Embedded(len(texts), len(distinct), len(missing))


def _key(fingerprint: str, text: str) -> bytes:
    return hashlib.sha256(f"{fingerprint}\0{text}".encode()).digest()


def _open(cache_file: Path) -> sqlite3.Connection:
    cache = sqlite3.connect(cache_file)
    cache.execute("PRAGMA journal_mode=WAL")
    cache.execute("PRAGMA synchronous=NORMAL")
    cache.execute("CREATE TABLE IF NOT EXISTS vectors (key BLOB PRIMARY KEY, vector BLOB NOT NULL)")
    return cache


def _stored(cache: sqlite3.Connection, keys: Sequence[bytes]) -> Iterator[tuple[bytes, bytes]]:
    for start in range(0, len(keys), LOOKUP):
        some = keys[start : start + LOOKUP]
        marks = ",".join("?" * len(some))
        yield from cache.execute(f"SELECT key, vector FROM vectors WHERE key IN ({marks})", some)


def _encode_into(
    cache: sqlite3.Connection, missing: dict[bytes, str], model: Model, quiet: bool
) -> None:
    items = list(missing.items())
    with tqdm(total=len(items), unit=" sentences", desc="embedding", disable=quiet) as progress:
        for start in range(0, len(items), CHUNK):
            chunk = items[start : start + CHUNK]
            vectors = model.encode([text for _, text in chunk])
            rows = [(key, row.tobytes()) for (key, _), row in zip(chunk, vectors, strict=True)]
            with cache:
                cache.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?)", rows)
            progress.update(len(chunk))


def _write_npy(cache: sqlite3.Connection, keys: Sequence[bytes], out_file: Path) -> None:
    """Write the vectors of `keys` in their order, some at a time: all may not fit into memory.

    Written and not memory-mapped: on a full disk a write raises, where a mapping ends the process.
    """
    (first,) = _stored(cache, keys[:1]) if keys else ((b"", b""),)
    dimension = len(first[1]) // np.dtype(np.float32).itemsize
    with out_file.open("wb") as out:
        header = {"descr": "<f4", "fortran_order": False, "shape": (len(keys), dimension)}
        np.lib.format.write_array_header_1_0(out, header)
        for start in range(0, len(keys), LOOKUP):
            some = keys[start : start + LOOKUP]
            found = dict(_stored(cache, list(set(some))))
            out.write(b"".join(found[key] for key in some))
