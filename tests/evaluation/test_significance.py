"""Intervals and p values against what can be worked out without chance."""

from itertools import product

import numpy as np
import pytest

from hybrid.evaluation.significance import holm, intervals, p_values
from hybrid.ranking import Scores

RANDOM = np.random.default_rng(1)


def column(values: list[float] | Scores) -> Scores:
    """Return the values of one ranking as the functions take them."""
    return np.array(values, np.float64)[:, None]


def test_equal_scores_have_no_width() -> None:
    """Nothing varies, so neither does the mean; one query alone is such a case."""
    np.testing.assert_allclose(intervals(column([0.25] * 9), 0), [[0.25], [0.25]])
    np.testing.assert_allclose(intervals(column([0.7]), 0), [[0.7], [0.7]])


def test_the_interval_is_that_of_theory() -> None:
    """For many queries the percentile interval is the normal one: mean -/+ 1.96 s/sqrt(n)."""
    scores = column(RANDOM.random(400))
    half = 1.96 * scores.std() / 20
    expected = [[scores.mean() - half], [scores.mean() + half]]
    np.testing.assert_allclose(intervals(scores, 3), expected, atol=0.002)


def test_columns_are_resampled_alike() -> None:
    """One query drawn is drawn for all rankings: a difference has the interval of its mean."""
    a, b = RANDOM.random(40), RANDOM.random(40)
    together = intervals(np.column_stack([a, b, a - b, a]), 5)
    np.testing.assert_array_equal(together[:, 0], together[:, 3])
    np.testing.assert_allclose(together[:, 2], intervals(column(a - b), 5)[:, 0])


def test_equal_seeds_give_equal_figures() -> None:
    """And other seeds others, by little."""
    scores = column(RANDOM.random(50))
    np.testing.assert_array_equal(intervals(scores, 1), intervals(scores, 1))
    assert (intervals(scores, 1) != intervals(scores, 2)).any()
    np.testing.assert_allclose(intervals(scores, 1), intervals(scores, 2), atol=0.01)


def test_identical_runs_differ_by_chance() -> None:
    """No difference has p = 1, the highest."""
    assert p_values(column([0.0] * 20), 0) == pytest.approx(1)


def test_a_constant_gain_is_no_chance() -> None:
    """Twenty gains of the same sign arise by chance twice in a million: p is the least there is."""
    assert p_values(column([0.1] * 20), 0)[0] == pytest.approx(1 / 10_001)
    assert p_values(column([-0.1] * 20), 0)[0] == pytest.approx(1 / 10_001)


def test_p_is_that_of_all_signs() -> None:
    """Ten differences have 1,024 signs: the share of those as far from 0 is what is estimated."""
    gains = np.round(RANDOM.normal(0.05, 0.1, 10), 3)
    sums = np.abs([np.dot(signs, gains) for signs in product((-1, 1), repeat=10)])
    exact = (sums >= abs(gains.sum()) - 1e-9).mean()
    assert 0.01 < exact < 0.9
    assert p_values(column(gains), 0)[0] == pytest.approx(exact, abs=0.02)


def test_holm() -> None:
    """The least p is multiplied by their number, the next by one less; never above 1, and never
    less than that of a lesser p."""
    corrected = holm(np.array([0.04, 0.01, 0.03, 0.9]))
    np.testing.assert_allclose(corrected, [0.09, 0.04, 0.09, 0.9])
    np.testing.assert_allclose(holm(np.array([0.6, 0.7])), [1, 1])
