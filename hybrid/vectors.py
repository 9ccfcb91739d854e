"""Vectors of texts, and what a query asks of them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]
"""float32, (dimension,) or (texts, dimension); rows have length 1."""


@dataclass(frozen=True)
class QueryVector:
    """What a query asks of the semantic side.

    `vector` float32 (d,), of length 1. A film scores the sum of its best sentences' cosines, each
    times its weight, the best first; the weights add up to 1. A film of fewer sentences gets 0 for
    those that it lacks.
    """

    vector: Vectors
    weights: tuple[float, ...] = (1.0,)
