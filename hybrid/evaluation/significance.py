"""Statistical significance: bootstrap intervals and paired randomisation tests.

Bootstrap: Efron & Tibshirani, "An Introduction to the Bootstrap", 1993, percentile intervals; for
retrieval, Sakai, "Evaluating Evaluation Metrics based on the Bootstrap", SIGIR 2006. Randomisation
test: Smucker, Allan & Carterette, "A Comparison of Statistical Significance Tests for Information
Retrieval Evaluation", CIKM 2007. Many tests at once: Holm, "A Simple Sequentially Rejective
Multiple Test Procedure", Scandinavian Journal of Statistics 6, 1979.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.random import Generator, default_rng
from numpy.typing import NDArray

from hybrid.ranking import Scores

RESAMPLES = 10_000
CONFIDENCE = 95

_BLOCK = 500
"""Resamples drawn at a time, so that thousands of queries fit in memory."""


def intervals(scores: Scores, seed: int) -> Scores:
    """Return the 95 % interval of the mean of each column of float64 (queries, k): (2, k).

    Queries are resampled with replacement. Equal seeds draw equal queries, so the difference of two
    means and the mean of their differences have the same interval.
    """
    n = len(scores)

    def frequencies(random: Generator, size: int) -> Scores:
        drawn = random.integers(n, size=(size, n)) + np.arange(size)[:, None] * n
        counts = np.bincount(drawn.ravel(), minlength=size * n)
        return counts.reshape(size, n) / n

    tail = (100 - CONFIDENCE) / 2
    means = _resample(frequencies, scores, seed)
    limits: Scores = np.percentile(means, [tail, 100 - tail], axis=0)
    return limits


def p_values(differences: Scores, seed: int) -> Scores:
    """Return the two-sided p of each column of paired differences, float64 (queries, k): (k,).

    If two rankings are equally good, each difference may as well have the other sign: p is the
    share of random signs, the observed ones included, with a sum at least as far from 0.
    """

    def signs(random: Generator, size: int) -> Scores:
        return random.choice(np.array([-1.0, 1.0]), size=(size, len(differences)))

    sums = np.abs(_resample(signs, differences, seed))
    # Floating-point sums depend on the order of addition.
    observed = np.abs(differences.sum(axis=0)) - 1e-9
    p: Scores = (1 + (sums >= observed).sum(axis=0)) / (1 + RESAMPLES)
    return p


def holm(p: Scores) -> Scores:
    """Return the p values, float64 (k,), corrected for their number by Holm's method."""
    order = np.argsort(p)
    factors = np.arange(len(p), 0, -1)
    corrected = np.empty_like(p)
    corrected[order] = np.minimum(np.maximum.accumulate(p[order] * factors), 1.0)
    return corrected


def _resample(
    weights: Callable[[Generator, int], NDArray[Any]], scores: Scores, seed: int
) -> Scores:
    """Return the sums of `scores` under random weights of the queries: (RESAMPLES, k)."""
    random = default_rng(seed)
    blocks = [weights(random, _BLOCK) @ scores for _ in range(RESAMPLES // _BLOCK)]
    return np.concatenate(blocks)
