"""Sentences to vectors, by the model or from the cache."""

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
"""Texts encoded at once. The model sorts them by length so that batches hold little padding, and a
killed process loses no more than these."""

BATCH = 32


class Embedder(Encoder, Protocol):
    """An encoder with a fingerprint: equal fingerprints give equal vectors."""

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the model."""
        ...


@dataclass(frozen=True)
class ExportedModel:
    """The exported model of a generation: it embeds changes without PyTorch."""

    fingerprint: str
    encoder: Encoder

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return float32 (len(texts), dimension); batches of similar length hold little padding."""
        order = sorted(range(len(texts)), key=lambda row: len(texts[row]))
        vectors: dict[int, Vectors] = {}
        for start in range(0, len(order), BATCH):
            rows = order[start : start + BATCH]
            vectors |= zip(rows, self.encoder.encode([texts[row] for row in rows]), strict=True)
        return np.array([vectors[row] for row in range(len(texts))], np.float32)


@dataclass(frozen=True)
class EmbeddingStats:
    """Of a list of texts how many there are, how many distinct ones, and how many were encoded."""

    texts: int
    distinct: int
    encoded: int


NO_EMBEDDING = EmbeddingStats(0, 0, 0)


def embed(
    texts: Sequence[str],
    model: Embedder,
    cache_file: Path,
    out_file: Path,
    quiet: bool = False,
) -> EmbeddingStats:
    """Write the vectors of `texts`, of which there must be one, to `out_file` as a .npy array,
    float32 (texts, dimension).

    Vectors come from the cache where it has model and text, else from the model and into the cache.
    Raises BuildFailed if the cache cannot be used.
    """
    keys = [key_of(model.fingerprint, text) for text in texts]
    distinct = dict(zip(keys, texts, strict=True))
    with open_cache(cache_file) as cache:
        known = {key for key, _ in stored(cache, list(distinct))}
        missing = {key: text for key, text in distinct.items() if key not in known}
        _encode_into(cache, missing, model, quiet)
        note_uses(cache, distinct)
        write_npy(out_file, len(keys), blocks_of(cache, keys))
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
