"""Sentences to vectors, by the model or from the cache."""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from itertools import islice
from math import ceil
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from hybrid.engines.protocols import Encoder
from hybrid.engines.semantic.side_by_side import Share, join
from hybrid.machine import cores
from hybrid.terminal.progress import counter
from hybrid.vectors import Vectors
from indexer.embedding.cache import key_of, note_uses, open_cache, present, store, stored
from indexer.semantic_index.vector_files import write_npy

CHUNK = 512
"""Texts encoded at once. The model sorts them by length so that batches hold little padding, and a
killed process loses no more than these."""

BATCH = 32


BLOCK = 8 * CHUNK
"""Texts looked up at once."""


class Texts(Protocol):
    """Texts that are read as often as they are needed."""

    def __iter__(self) -> Iterator[str]:
        """Iterate over the texts, each time from the first."""
        ...

    def __len__(self) -> int:
        """Return their number."""
        ...


class Embedder(Encoder, Protocol):
    """An encoder with a fingerprint: equal fingerprints give equal vectors."""

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the model."""
        ...

    @property
    def device(self) -> str:
        """What it computes on, as PyTorch calls it: cpu, cuda:0, mps:0."""
        ...


@dataclass(frozen=True)
class ExportedModel:
    """The exported model of a generation: it embeds changes without PyTorch."""

    fingerprint: str
    encoder: Encoder
    device: str = "cpu"

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return float32 (len(texts), dimension).

        Batches of similar length hold little padding; as many are encoded at once as there are
        cores.
        """
        order = sorted(range(len(texts)), key=lambda row: len(texts[row]))
        size = max(1, min(BATCH, ceil(len(texts) / cores())))
        batches = [order[start : start + size] for start in range(0, len(order), size)]
        vectors: dict[int, Vectors] = {}
        with ThreadPoolExecutor(cores()) as pool:
            encoded = pool.map(self.encoder.encode, ([texts[r] for r in rows] for rows in batches))
            for rows, found in zip(batches, encoded, strict=True):
                vectors |= zip(rows, found, strict=True)
        return np.array([vectors[row] for row in range(len(texts))], np.float32)


@dataclass(frozen=True)
class WeightedModel:
    """A model, and what becomes of its vectors beside those of others."""

    model: Embedder
    share: Share


def encode_joined(models: Sequence[WeightedModel], texts: Sequence[str]) -> Vectors:
    """Return the vectors of texts by all models as one, float32 (texts, dimension)."""
    return join([one.model.encode(texts) for one in models], [one.share for one in models])


@dataclass(frozen=True)
class EmbeddingStats:
    """Of a list of texts how many there are, how many distinct ones, and how many were encoded, by
    all models together."""

    texts: int
    distinct: int
    encoded: int


NO_EMBEDDING = EmbeddingStats(0, 0, 0)


def embed(
    texts: Texts,
    models: Sequence[WeightedModel],
    cache_file: Path,
    out_file: Path,
    quiet: bool = False,
) -> EmbeddingStats:
    """Write the vectors of `texts`, of which there must be one, to `out_file` as a .npy array,
    float32 (texts, dimension).

    Each model's vectors come from the cache where it has model and text, else from the model and
    into the cache. Raises BuildFailed if the cache cannot be used.
    """
    with open_cache(cache_file) as cache, ExitStack() as bars:
        counts = [count_missing(cache, one.model.fingerprint, texts) for one in models]
        advances = [
            bars.enter_context(_progress(one.model, missing, quiet))
            for one, (missing, _) in zip(models, counts, strict=True)
        ]
        write_npy(out_file, len(texts), _joined_blocks(cache, models, texts, advances))
    return EmbeddingStats(len(texts), counts[0][1], sum(missing for missing, _ in counts))


def vectors_of(
    texts: Sequence[str], model: Embedder, cache_file: Path, quiet: bool = False
) -> tuple[Vectors, int]:
    """Return the vectors of a few texts, float32 (texts, dimension), and how many were encoded.

    Raises BuildFailed if the cache cannot be used.
    """
    if not texts:
        return np.empty((0, 0), np.float32), 0
    with open_cache(cache_file) as cache:
        missing, _ = count_missing(cache, model.fingerprint, texts)
        with _progress(model, missing, quiet) as advance:
            return _vectors(cache, model, texts, advance), missing


def _progress(
    model: Embedder, missing: int, quiet: bool
) -> AbstractContextManager[Callable[[int], None]]:
    """Return the progress bar of distinct sentences that are encoded."""
    hidden = quiet or not missing
    label = "embedding" if hidden else f"embedding on {model.device}"  # which loads the model
    return counter(missing, label, "sentences", hidden=hidden)


def embed_into(cache_file: Path, texts: Iterable[str], model: Embedder, quiet: bool) -> int:
    """Encode those of `texts` that the cache lacks into it; return how many were encoded.

    The texts are read twice. Raises BuildFailed if the cache cannot be used.
    """
    with open_cache(cache_file) as cache:
        missing, _ = count_missing(cache, model.fingerprint, texts)
        with _progress(model, missing, quiet) as advance:
            for some in blocks(texts):
                keys = (key_of(model.fingerprint, text) for text in some)
                fill(cache, model, dict(zip(keys, some, strict=True)), advance)
    return missing


def count_missing(
    cache: sqlite3.Connection, fingerprint: str, texts: Iterable[str]
) -> tuple[int, int]:
    """Return how many distinct texts are not in the cache, and how many there are."""
    numbers, known = [np.empty(0, "<u8")], [np.empty(0, "<u8")]
    for some in blocks(texts):
        keys = [key_of(fingerprint, text) for text in some]
        numbers.append(_numbers(keys))
        known.append(_numbers(present(cache, keys)))
    distinct = np.unique(np.concatenate(numbers))
    return int((~np.isin(distinct, np.concatenate(known))).sum()), len(distinct)


def _numbers(keys: Sequence[bytes]) -> NDArray[np.uint64]:
    """Return the first 8 bytes of each key: enough to count them by."""
    return np.frombuffer(b"".join(key[:8] for key in keys), "<u8")


def blocks(texts: Iterable[str]) -> Iterator[list[str]]:
    """Yield texts, BLOCK at a time."""
    left = iter(texts)
    while block := list(islice(left, BLOCK)):
        yield block


def _joined_blocks(
    cache: sqlite3.Connection,
    models: Sequence[WeightedModel],
    texts: Texts,
    advances: Sequence[Callable[[int], None]],
) -> Iterator[Vectors]:
    """Yield the vectors of texts by all models, block by block."""
    for some in blocks(texts):
        by_model = [
            _vectors(cache, one.model, some, advance)
            for one, advance in zip(models, advances, strict=True)
        ]
        yield join(by_model, [one.share for one in models])


def _vectors(
    cache: sqlite3.Connection,
    model: Embedder,
    texts: Sequence[str],
    advance: Callable[[int], None],
) -> Vectors:
    """Return the vectors of texts, float32 (texts, dimension), and note that they were needed.

    What the cache lacks is encoded.
    """
    keys = [key_of(model.fingerprint, text) for text in texts]
    vectors = fill(cache, model, dict(zip(keys, texts, strict=True)), advance)
    note_uses(cache, vectors)
    block = b"".join(vectors[key] for key in keys)
    return np.frombuffer(block, np.float32).reshape(len(keys), -1)


def fill(
    cache: sqlite3.Connection,
    model: Embedder,
    texts: dict[bytes, str],
    advance: Callable[[int], None],
) -> dict[bytes, bytes]:
    """Return the vectors of texts by key; those that the cache lacks are encoded into it."""
    vectors = dict(stored(cache, list(texts)))
    missing = [(key, text) for key, text in texts.items() if key not in vectors]
    for start in range(0, len(missing), CHUNK):
        chunk = missing[start : start + CHUNK]
        encoded = model.encode([text for _, text in chunk])
        new = {key: row.tobytes() for (key, _), row in zip(chunk, encoded, strict=True)}
        store(cache, new)
        vectors |= new
        advance(len(chunk))
    return vectors
