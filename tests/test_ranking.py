"""Rankings and sets of films, compared with plain Python."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from hybrid.ranking import Ids, Ranking, distinct, marked, union

Numbers = list[int]

NUMBERS = st.lists(st.integers(0, 40), max_size=30)


def ids(numbers: Numbers) -> Ids:
    """Return numbers as ids."""
    return np.array(numbers, np.int64)


@settings(max_examples=50)
@given(NUMBERS, NUMBERS)
def test_sets_are_ascending_and_without_repetitions(some: Numbers, others: Numbers) -> None:
    """`distinct` and `union` are those of Python's sets, also of nothing."""
    assert distinct(ids(some)).tolist() == sorted(set(some))
    assert union(ids(some), ids(others)).tolist() == sorted({*some, *others})


@settings(max_examples=50)
@given(NUMBERS, NUMBERS, NUMBERS)
def test_members_of_any_list_are_marked(some: Numbers, others: Numbers, rest: Numbers) -> None:
    """`marked` says of each film whether one of the lists has it."""
    every = union(ids(some), ids(others), ids(rest))
    found = marked(every, ids(some), ids(others))
    assert found.tolist() == [film in {*some, *others} for film in every.tolist()]


@settings(max_examples=50)
@given(st.permutations(range(12)), st.integers(0, 12), NUMBERS)
def test_ranks_count_from_one(films: Numbers, length: int, asked: Numbers) -> None:
    """A film has its place in the ranking, 0 outside it, in whatever order films are asked for."""
    ranked = films[:length]
    ranking = Ranking(ids(ranked), np.linspace(1, 0, length))
    expected = [ranked.index(film) + 1 if film in ranked else 0 for film in asked]
    assert ranking.ranks_of(ids(asked)).tolist() == expected


@settings(max_examples=50)
@given(NUMBERS)
def test_the_films_left_keep_their_order(removed: Numbers) -> None:
    """`without` removes the films named, of which the ranking need not have any."""
    ranking = Ranking(ids([5, 3, 9, 1]), np.array([0.9, 0.5, 0.5, 0.1]))
    left = ranking.without(ids(removed))
    assert left.ids.tolist() == [film for film in [5, 3, 9, 1] if film not in removed]
    assert len(left.scores) == len(left)
