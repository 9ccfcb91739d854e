"""Which changes are published together: long ones do not hold up short ones."""

from collections.abc import Sequence
from queue import Empty, SimpleQueue
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid.movie import Movie
from indexer import group_commit
from indexer.group_commit import GROUP_TEXT, GroupCommit, Order, next_group


def order(film: int, characters: int) -> Order:
    """Return a change of a film with a description of this length; of 0, its deletion."""
    if not characters:
        return Order(film, None)
    return Order(film, Movie(id=film, title="A film", description="x" * characters))


LENGTHS = st.sampled_from([0, 1, 1_500, 9_000, GROUP_TEXT, 50_000])

ORDERS = st.lists(st.builds(order, st.integers(1, 6), LENGTHS), min_size=1, max_size=16)


@given(ORDERS)
def test_a_group_is_bounded(waiting: list[Order]) -> None:
    """It has the oldest change, and besides it no more than GROUP_TEXT characters."""
    group = next_group(waiting)
    assert group[0] is waiting[0]
    assert sum(each.size for each in group[1:]) <= GROUP_TEXT


@given(ORDERS)
def test_changes_of_a_film_stay_in_order(waiting: list[Order]) -> None:
    """Group after group, all are published, those of each film in the order of arrival."""
    published: list[Order] = []
    left = list(waiting)
    while left:
        group = next_group(left)
        published += group
        left = [each for each in left if each not in group]
    assert len(published) == len(waiting)
    for film in range(1, 7):
        assert [each for each in published if each.film == film] == [
            each for each in waiting if each.film == film
        ]


@given(st.integers(0, 15), st.integers(0, 1_500))
def test_a_short_change_joins_the_next_group(long: int, characters: int) -> None:
    """However many long ones arrived before it."""
    short = order(99, characters)
    waiting = [*(order(n, 50_000) for n in range(long)), short]
    assert short in next_group(waiting)


def test_a_group_is_full_at_its_bound() -> None:
    """Of two that have GROUP_TEXT characters together both join, of two with one more the first."""
    oldest, half = order(1, 50_000), GROUP_TEXT // 2
    both = [oldest, order(2, half), order(3, GROUP_TEXT - half)]
    assert next_group(both) == both
    assert next_group([*both[:2], order(3, GROUP_TEXT - half + 1)]) == both[:2]


def test_short_changes_share_a_group() -> None:
    """Sixteen films of ordinary size are published together."""
    waiting = [order(n, 1_500) for n in range(16)]
    assert next_group(waiting) == waiting
    assert next_group([]) == []


class Clock:
    """Seconds that pass while changes are published, while nothing is to be done, and in pauses."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.pauses: list[float] = []

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.pauses.append(self.now - 1000.0)
        self.now += seconds


@pytest.mark.parametrize(
    ("idle", "pauses"),
    [
        (0.0, [0.625, 1.28]),  # once half a second of changes is over, and again
        (0.02, [0.6, 1.21]),
        (0.04, []),  # whoever waited had time enough
    ],
)
def test_others_may_write_in_between(
    monkeypatch: pytest.MonkeyPatch, idle: float, pauses: list[float]
) -> None:
    """After half a second of changes one after the other there is a pause, unless nothing was to be
    done for as long anyway."""
    clock = Clock()
    left = [order(film, 0) for film in range(12)]

    class Orders:
        """Changes that arrive one at a time, `idle` seconds after the one before is published."""

        def get(self, timeout: float | None = None) -> Order | None:
            """Return the next one."""
            if timeout is not None:
                raise Empty
            clock.now += idle
            return left.pop() if left else None

    group = GroupCommit.__new__(GroupCommit)
    group._orders = cast("SimpleQueue[Order | None]", Orders())
    published: list[int] = []

    def publish(orders: Sequence[Order]) -> None:
        published.extend(each.film for each in orders)
        clock.now += 0.125

    monkeypatch.setattr(group, "_publish", publish)
    monkeypatch.setattr(group_commit, "monotonic", lambda: clock.now)
    monkeypatch.setattr(group_commit, "sleep", clock.sleep)
    group._publish_groups()
    assert published == list(range(12))[::-1]
    assert [round(pause, 3) for pause in clock.pauses][:2] == pauses
