"""What films like another one, or like a text, are found by: its telling words, its meaning."""

from dataclasses import dataclass

import numpy as np

from hybrid.ranking import Ids
from hybrid.vectors import QueryVector, Vectors

MAX_CHARACTERS = 10_000
"""Characters of a text in which telling words are looked for; those of the largest film of
Wikipedia are fewer."""

MAX_VECTORS = 40
"""Sentences of a text that count; no film of Wikipedia has more than 13."""

WEIGHTS = (0.6, 0.2, 0.2)
"""Weights of a film's best sentences; docs/ranking.md gives the measured gain over the best one."""


@dataclass(frozen=True)
class Likeness:
    """What other films should be like.

    `text` is where the most telling words are, of which each must be in `least` films.
    `query_vector` is None if there is nothing to find by meaning. `excluded` int64 (n,) are the ids
    of films that are never found.
    """

    text: str
    least: int
    query_vector: QueryVector | None
    excluded: Ids


def mean_vector(vectors: Vectors) -> QueryVector | None:
    """Return the direction of the mean of sentence vectors, float32 (sentences, d).

    None without a sentence, or if they cancel out.
    """
    mean = vectors[:MAX_VECTORS].sum(axis=0, dtype=np.float64)
    length = np.linalg.norm(mean)
    if not length:
        return None
    return QueryVector((mean / length).astype(np.float32), WEIGHTS)
