"""The semantic share that is chosen for a query."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid.alpha import EVEN, FEW, MANY, MEANING_ALONE, chosen


@pytest.mark.parametrize(
    ("best", "value", "why"),
    [
        (1.0, 0.5, "cover 100% of the query: words and meaning count alike"),
        (0.35, 0.5, "words and meaning count alike"),
        (0.30, 0.75, "meaning counts more than words"),
        (0.25, 1.0, "meaning alone decides"),
        (0.0, 1.0, "meaning alone decides"),
    ],
)
def test_alpha_follows_the_best_share(best: float, value: float, why: str) -> None:
    """The fewer words are found, the more meaning counts, and the reason says so."""
    alpha = chosen(best, name=None, quoted=False)
    assert alpha.value == pytest.approx(value)
    assert alpha.reason.endswith(why)


def test_names_and_quotations_are_meant_literally() -> None:
    """A person's name or a quotation keeps the words' weight, however few others are found."""
    assert chosen(0.1, name="Greta Garbo", quoted=False).value == EVEN
    assert "Greta Garbo" in chosen(0.1, name="Greta Garbo", quoted=False).reason
    assert chosen(0.1, name=None, quoted=True).value == EVEN


@given(st.floats(0, 1), st.floats(0, 1))
def test_alpha_never_rises_with_the_share(one: float, other: float) -> None:
    """More words found never make words count less; alpha stays between its ends."""
    low, high = sorted((one, other))
    values = [chosen(share, None, quoted=False).value for share in (low, high)]
    assert values[0] >= values[1]
    assert all(EVEN <= value <= MEANING_ALONE for value in values)
    assert FEW < MANY
