"""Whether the vectors of a model lie in one corner of their space, and have to be centred."""

import numpy as np

from hybrid.vectors import Vectors

CENTRING_SAMPLE = 2_000
"""Sentences of an index, far from each other, by which that is decided."""

LEAST_SAMPLE = 256
"""Of fewer sentences the mean says nothing about others."""

SQUEEZED = 0.5
"""Mean cosine of two sentences from which a model's vectors are centred: those of all-MiniLM-L6-v2
have .1, those of E5 .8, which leaves little between films that match and those that do not."""

SAME = 0.99
"""Mean cosine from which all sentences are the same: without their mean only noise were left."""


def mean_to_subtract(vectors: Vectors) -> Vectors | None:
    """Return the mean of a sample, float32 (n, d), as float32 (d,), if a model's cosines are
    squeezed; None if they are not, or the sample is small."""
    count = len(vectors)
    if count < LEAST_SAMPLE:
        return None
    total = vectors.sum(axis=0, dtype=np.float64)
    mean_cosine = (total @ total - count) / (count * (count - 1))
    return (total / count).astype(np.float32) if SQUEEZED < mean_cosine < SAME else None
