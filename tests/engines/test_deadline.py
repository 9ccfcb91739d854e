"""The arithmetic of deadlines, by a clock that the tests set."""

from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid.engines import deadline
from hybrid.engines.deadline import NEVER, Deadline

MOMENT = st.floats(0, 1e6)


def test_time_is_used_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is left decreases with the clock, down to nothing."""
    monkeypatch.setattr(deadline, "monotonic", lambda: 100.0)
    until = Deadline.after(2.5)
    assert (until.at, until.left) == (102.5, 2.5)
    monkeypatch.setattr(deadline, "monotonic", lambda: 102.0)
    assert until.left == 0.5
    monkeypatch.setattr(deadline, "monotonic", lambda: 103.0)
    assert until.left == 0


@given(now=MOMENT, at=MOMENT, share=st.floats(0.01, 1))
def test_a_part_ends_within_the_whole(now: float, at: float, share: float) -> None:
    """It has its share of what is left, and nothing where nothing is."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(deadline, "monotonic", lambda: now)
        part = Deadline(at).part(share)
        assert part.left == pytest.approx(share * Deadline(at).left, abs=1e-6)
        assert part.at <= max(at, now)


def test_never_does_not_end() -> None:
    """Nor does a part of it."""
    assert NEVER.left == inf
    assert NEVER.part(0.75) == NEVER
