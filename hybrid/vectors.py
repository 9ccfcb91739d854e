"""Vectors of texts and of queries."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]
"""float32, (dimension,) or (texts, dimension); rows have length 1."""


@dataclass(frozen=True)
class QueryVector:
    """The vector of a query, and how it scores a film's sentences.

    `vector` float32 (d,), of length 1. A film's score is the weighted sum of the cosines of its
    best sentences, best first; `weights` add up to 1. Sentences that a film lacks count 0.
    """

    vector: Vectors
    weights: tuple[float, ...] = (1.0,)
