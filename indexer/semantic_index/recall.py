"""The recall of an IVFPQ index, measured against the exact scan."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from hybrid.engines.protocols import SemanticEngine
from hybrid.engines.semantic.exact import ExactEngine
from hybrid.query import Filters
from hybrid.storage.sentence_vectors import SentenceVectors
from hybrid.vectors import QueryVector, Vectors

PROBES = 200
"""Number of queries that measure the recall of an index."""

DEPTH = 200
"""Films asked for by each query; the first ten are compared."""

BLOCK = 4_000
"""Films scored at once."""

ROUNDING = 1e-5
"""The most that two ways of computing the same cosine may differ."""


def best_scores(sentences: SentenceVectors, queries: Vectors) -> Vectors:
    """Return the scores of the ten films nearest to each query, (queries, 10), in no order.

    A matrix product of all queries and many films takes a twentieth of the time of one scan per
    query.
    """
    holders = np.flatnonzero(sentences.counts)
    best = np.empty((len(queries), 0), np.float32)
    for start in range(0, len(holders), BLOCK):
        rows = holders[start : start + BLOCK]
        cosines = queries @ sentences.vectors(sentences.sentence_rows(rows)).T
        firsts = np.cumsum(sentences.counts[rows]) - sentences.counts[rows]
        best = np.hstack([best, np.maximum.reduceat(cosines, firsts, axis=1)])
        best = -np.partition(-best, min(9, best.shape[1] - 1), axis=1)[:, :10]
    return best


def probe_vectors(sentences: SentenceVectors) -> Vectors:
    """Return up to 200 unit vectors, float32 (n, d), as far from the stored ones as queries are.

    Stored sentences themselves are found too easily: noise of their own length is added, which
    leaves a cosine near .7 to the sentence. The same vectors give the same probes.
    """
    random = np.random.default_rng(0)
    rows = sentences.sentence_rows(np.arange(len(sentences.counts)))
    chosen = sentences.vectors(
        rows[np.sort(random.choice(len(rows), min(PROBES, len(rows)), False))]
    )
    noise = random.standard_normal(chosen.shape) / np.sqrt(chosen.shape[1])
    noisy = chosen + noise
    unit: Vectors = (noisy / np.linalg.norm(noisy, axis=1, keepdims=True)).astype(np.float32)
    return unit


@dataclass(frozen=True)
class RecallProbes:
    """Queries, float32 (n, d), and the score of the tenth best film of each, (n,).

    Films are compared with the ten best by score, as many may have the same sentence.
    """

    vectors: Vectors
    tenth: Vectors
    wanted: int

    @classmethod
    def of(cls, exact: ExactEngine) -> Self:
        """Return the probes for indices of the sentences of an exact scan."""
        vectors = probe_vectors(exact.sentences)
        best = best_scores(exact.sentences, vectors)
        return cls(vectors, best.min(axis=1), best.shape[1])

    def recall_at_10(self, engine: SemanticEngine) -> float:
        """Return the mean share of the true ten best that are found, 0 to 1."""
        shares = []
        for vector, tenth in zip(self.vectors, self.tenth.tolist(), strict=True):
            found = engine.search(QueryVector(vector), Filters(), DEPTH).scores[: self.wanted]
            shares.append((found >= tenth - ROUNDING).sum() / self.wanted)
        return round(float(np.mean(shares)), 4)
