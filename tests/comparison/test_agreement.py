"""Agreement of rankings, against sums written out by hand, the paper's figures, and scipy."""

from math import log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kendalltau

from hybrid.comparison.agreement import jaccard, kendall_tau, rbo

P = 0.9


def letters(text: str) -> list[int]:
    """Return a list of films, one a letter."""
    return [ord(letter) for letter in text]


def test_jaccard_is_common_by_either() -> None:
    """Two of four films; nothing at all is alike."""
    assert jaccard([1, 2, 3], [3, 2, 9]) == 2 / 4
    assert jaccard([1], [2]) == jaccard([], [1]) == 0
    assert jaccard([], []) == 1


def test_rbo_is_the_sum_written_out() -> None:
    """Overlap at each depth as a share of it, weighed by p^depth, and the last one going on."""
    seen = 0 / 1 * P + 2 / 2 * P**2 + 2 / 3 * P**3
    expected = (1 - P) / P * seen + 2 / 3 * P**3
    assert rbo(letters("abc"), letters("bax")) == pytest.approx(expected)


def test_rbo_of_uneven_lists_is_the_sum_written_out() -> None:
    """Equation 32: what the shorter list would have held is taken to agree as its end did."""
    seen = 1 / 1 * P + 1 / 2 * P**2 + 2 / 3 * P**3 + 2 / 4 * P**4
    assumed = 1 * (3 - 2) / (2 * 3) * P**3 + 1 * (4 - 2) / (2 * 4) * P**4
    expected = (1 - P) / P * (seen + assumed) + ((2 - 1) / 4 + 1 / 2) * P**4
    assert rbo(letters("ab"), letters("axby")) == pytest.approx(expected)
    assert rbo(letters("axby"), letters("ab")) == pytest.approx(expected)


def test_rbo_where_the_shorter_list_agrees_throughout() -> None:
    """A list and its beginning: what is not seen is taken to agree as well, so that they are 1."""
    assert rbo(letters("abc"), letters("abcdefg")) == pytest.approx(1)


def test_rbo_has_the_published_values() -> None:
    """The first ten places have 86 % of the weight at p = .9 (Webber et al., section 4.5), and
    swapping the first two of seven films costs a tenth."""
    same = list(range(10))
    apart = [same + list(range(start, start + 3000)) for start in (100, 10_000)]
    weight = 1 - P**9 + (1 - P) / P * 10 * (log(1 / (1 - P)) - sum(P**i / i for i in range(1, 10)))
    assert weight == pytest.approx(0.8556, abs=1e-4)
    assert rbo(apart[0], apart[1]) == pytest.approx(weight, abs=1e-6)
    assert rbo(letters("abcdefg"), letters("bacdefg")) == pytest.approx(0.9)


def test_rbo_at_its_ends() -> None:
    """The same is 1, nothing in common 0, an empty list is like an empty one alone."""
    assert rbo(letters("abcd"), letters("abcd")) == pytest.approx(1)
    assert rbo(letters("abc"), letters("xyz")) == 0
    assert rbo([], []) == 1
    assert rbo([], letters("a")) == rbo(letters("a"), []) == 0


def test_tau_is_the_pairs_counted() -> None:
    """Of three pairs two agree and one does not; a tie leaves its pair out on one side."""
    assert kendall_tau(np.array([3.0, 2, 1]), np.array([3.0, 1, 2])) == pytest.approx((2 - 1) / 3)
    tied = kendall_tau(np.array([3.0, 2, 1]), np.array([3.0, 1, 1]))
    assert tied == pytest.approx(2 / (3 * 2) ** 0.5)


def test_tau_without_an_order() -> None:
    """No film, one film, or equal scores throughout say nothing."""
    for scores in ([], [1.0], [1.0, 1.0]):
        assert kendall_tau(np.array(scores), np.arange(len(scores), dtype=float)) is None


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=2, max_size=40))
def test_tau_is_scipy_s(pairs: list[tuple[int, int]]) -> None:
    """The same as scipy.stats.kendalltau, which serving does without."""
    a, b = np.array(pairs, float).T
    found, theirs = kendall_tau(a, b), float(kendalltau(a, b).statistic)
    assert np.isnan(theirs) if found is None else found == pytest.approx(theirs)
