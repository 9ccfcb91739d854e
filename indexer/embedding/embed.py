"""Sentences to vectors, each distinct text once in the life of the data folder."""

import sqlite3
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from hybrid.engines.protocols import Encoder
from hybrid.terminal.progress import counter
from hybrid.vectors import Vectors
from indexer.embedding.cache import blocks_of, key_of, note_uses, open_cache, stored
from indexer.semantic_index.vector_files import write_npy

CHUNK = 512
"""Texts encoded at once: the model sorts them by length so that batches hold little padding, and
a kill costs no more than them."""

BATCH = 32


class Embedder(Encoder, Protocol):
    """An encoder that knows its name by content: equal fingerprints give equal vectors."""

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the model."""
        ...


@dataclass(frozen=True)
class ExportedModel:
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
class EmbeddingStats:
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
) -> EmbeddingStats:
    """Write the vectors of `texts` to `out_file` as a .npy array, float32 (rows, dimension), and
    after them the rows of `more`.

    Vectors come from the cache where model and text are known, unless all are embedded `anew`, else
    from the model and into the cache. Raises BuildFailed where the cache cannot be used.
    """
    keys = [key_of(model.fingerprint, text) for text in texts]
    distinct = dict(zip(keys, texts, strict=True))
    with open_cache(cache_file) as cache:
        known = set() if anew else {key for key, _ in stored(cache, list(distinct))}
        missing = {key: text for key, text in distinct.items() if key not in known}
        _encode_into(cache, missing, model, quiet)
        note_uses(cache, distinct)
        write_npy(out_file, len(keys), blocks_of(cache, keys), more)
    return EmbeddingStats(len(texts), len(distinct), len(missing))


def _encode_into(
    cache: sqlite3.Connection, missing: dict[bytes, str], model: Embedder, quiet: bool
) -> None:
    items = list(missing.items())
    with counter(len(items), "embedding", "sentences", hidden=quiet or not items) as advance:
        for start in range(0, len(items), CHUNK):
            chunk = items[start : start + CHUNK]
            vectors = model.encode([text for _, text in chunk])
            pairs = [(key, row.tobytes()) for (key, _), row in zip(chunk, vectors, strict=True)]
            rows = [(key, vector, zlib.crc32(key + vector)) for key, vector in pairs]
            with cache:
                cache.executemany("INSERT OR REPLACE INTO sentences VALUES (?, ?, ?)", rows)
            advance(len(chunk))
