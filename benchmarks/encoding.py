"""Encoding alone: what the model of an index takes for the texts of queries, with nothing around.

Every search with a new text encodes it, so this is what the latency and the throughput of a service
are compared with, measured in the same run.
"""

import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle
from time import monotonic, sleep

from hybrid.engines.protocols import Encoder

THREADS = tuple(sorted({os.cpu_count() or 1, 8}))
"""Numbers of threads whose throughput is measured: the greatest throughput counts."""


def encode_each(encoder: Encoder, texts: Iterable[str], pause: float = 0.0) -> list[float]:
    """Encode texts one by one, each after a pause in seconds; return the seconds of each."""
    seconds = []
    for text in texts:
        if pause:
            sleep(pause)
        start = monotonic()
        encoder.encode([text])
        seconds.append(monotonic() - start)
    return seconds


def encodings_a_second(encoder: Encoder, texts: Sequence[str], seconds: float) -> float:
    """Return how many texts a second are encoded on all cores, in about `seconds`."""
    each = seconds / len(THREADS)
    return max(_encodings_a_second(encoder, texts, threads, each) for threads in THREADS)


def _encodings_a_second(
    encoder: Encoder, texts: Sequence[str], threads: int, seconds: float
) -> float:
    source, start = cycle(texts), monotonic()

    def encode(_: int) -> int:
        encoded = 0
        while monotonic() < start + seconds:
            encoder.encode([next(source)])
            encoded += 1
        return encoded

    with ThreadPoolExecutor(threads) as pool:
        encoded = sum(pool.map(encode, range(threads)))
    return encoded / (monotonic() - start)
