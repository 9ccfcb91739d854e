"""The semantic share that is chosen for a query."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid.fusion.alpha import AlphaChoice, choose_alpha


def choose(
    text: float, title: float = 0.0, person: str | None = None, quoted: bool = False
) -> AlphaChoice:
    """Return the alpha where nothing else is known of the query."""
    return choose_alpha(text, title, person, quoted, degraded=False)


@pytest.mark.parametrize(
    ("best", "value", "why"),
    [
        (1.0, 0.5, "cover 100% of the query: words and meaning count alike"),
        (0.35, 0.5, "words and meaning count alike"),
        (0.34, 0.55, "meaning counts more than words"),
        (0.30, 0.75, "meaning counts more than words"),
        (0.26, 0.95, "meaning counts more than words"),
        (0.25, 1.0, "meaning alone decides"),
        (0.0, 1.0, "meaning alone decides"),
    ],
)
def test_alpha_follows_the_best_share(best: float, value: float, why: str) -> None:
    """The fewer words are found, the more meaning counts, and the reason says so."""
    alpha = choose(best)
    assert alpha.value == pytest.approx(value)
    assert alpha.reason.endswith(why)


def test_names_and_quotations_are_meant_literally() -> None:
    """A person's name or a quotation keeps the words' weight, however few others are found."""
    assert choose(0.1, person="Greta Garbo").value == 0.5
    assert "Greta Garbo" in choose(0.1, person="Greta Garbo").reason
    assert choose(0.1, quoted=True).value == 0.5
    assert "quoted" in choose(0.1, quoted=True).reason


def test_a_title_to_the_letter_is_meant() -> None:
    """Who types a whole title wants that film, whatever else its words mean; near is not enough."""
    assert choose(1.0, title=1.0).value == 0.2
    assert choose(1.0, title=0.95).value == 0.5
    assert choose(0.0, title=0.95).value == 0.5


@pytest.mark.parametrize(("person", "quoted"), [("Annie Hall", False), (None, True)])
def test_a_title_counts_before_names_and_quotations(person: str | None, quoted: bool) -> None:
    """A film called like a person, and a title in quotation marks, are titles to the letter."""
    alpha = choose(0.1, title=1.0, person=person, quoted=quoted)
    assert alpha.value == 0.2
    assert "title, to the letter" in alpha.reason


def test_the_nearer_of_title_and_words_counts() -> None:
    """Between the limits alpha follows whichever covers more of the query."""
    assert choose(0.30, title=0.1).value == pytest.approx(0.75)
    assert choose(0.1, title=0.30).value == pytest.approx(0.75)


def test_without_the_keyword_engine_the_reason_says_so() -> None:
    """What was not asked is not said to have found nothing."""
    alpha = choose_alpha(0.0, 0.0, person=None, has_quotation=False, degraded=True)
    assert alpha.value == 1.0
    assert "the keyword engine does not answer" in alpha.reason
    near = choose_alpha(0.0, 0.9, person=None, has_quotation=False, degraded=True)
    assert near.value == 0.5
    assert "the keyword engine does not answer" in near.reason


@given(st.floats(0, 1), st.floats(0, 1))
def test_alpha_never_rises_with_the_share(one: float, other: float) -> None:
    """More words found never make words count less; alpha stays between its ends."""
    low, high = sorted((one, other))
    values = [choose(share).value for share in (low, high)]
    assert values[0] >= values[1]
    assert all(0.5 <= value <= 1.0 for value in values)
