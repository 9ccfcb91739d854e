"""Counts of names, in a base alone and in base and delta together."""

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hybrid.movie import name_key
from hybrid.storage.merged_postings import MergedPostings
from hybrid.storage.merged_rows import MergedRows
from hybrid.storage.postings import Postings

NAMES = [
    "Drama",
    "drama",
    " Drama ",
    "DRAMA",
    "Straße",
    "STRASSE",
    "Été",
    "\u00c9te\u0301",
    "Zoë",
    "周",
]

names = st.lists(st.sampled_from(NAMES), max_size=3, unique_by=name_key).map(tuple)


def postings_of(films: list[tuple[str, ...]]) -> Postings:
    """Return the postings of films given by their names."""
    rows: dict[str, list[int]] = {}
    for row, of_film in enumerate(films):
        for name in of_film:
            rows.setdefault(name.strip(), []).append(row)
    return Postings.of(rows)


@given(
    base=st.lists(st.tuples(names, st.booleans(), st.booleans()), max_size=12),
    delta=st.lists(st.tuples(names, st.booleans(), st.integers(0, 12)), max_size=6),
    limit=st.integers(1, 6),
)
def test_counts_are_those_of_the_films(
    base: list[tuple[tuple[str, ...], bool, bool]],
    delta: list[tuple[tuple[str, ...], bool, int]],
    limit: int,
) -> None:
    """Whatever films are outdated, new and marked: the rows of each name, its spelling and the
    names that most of the marked films have are those of counting one film after the other."""
    places = sorted(min(place, len(base)) for *_, place in delta)
    outdated = [row for row, (_, _, old) in enumerate(base) if old]
    merged = MergedRows(np.array(outdated, np.int64), np.array(places, np.int64))
    films: list[tuple[tuple[str, ...], bool]] = []
    for row in range(len(base) + 1):
        films += [d[:2] for d, place in zip(delta, places, strict=True) if place == row]
        films += [one[:2] for one in base[row : row + 1] if not one[2]]
    postings = MergedPostings(
        postings_of([one for one, *_ in base]), postings_of([one for one, *_ in delta]), merged
    )
    marked = np.array([mark for _, mark in films], np.bool_)
    counts = Counter(name_key(name) for of_film, mark in films if mark for name in of_film)
    expected = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))[:limit]
    found = postings.most_frequent(marked, limit)
    assert [(key, count) for _, key, count in found] == expected
    spelled = {name.strip() for of_film, *_ in (*base, *delta) for name in of_film}
    assert all(name in spelled and name_key(name) == key for name, key, _ in found)
    have: dict[str, list[int]] = {key: [] for key in map(name_key, NAMES)}
    for row, (of_film, _) in enumerate(films):
        for name in of_film:
            have[name_key(name)].append(row)
    assert {key: rows.tolist() for key, rows in postings.items()} == {
        key: rows for key, rows in have.items() if rows
    }
    alone = postings_of([of_film for of_film, _ in films])
    assert [(one.key, one.films) for one in alone.most_frequent(marked, limit)] == expected


def test_a_name_is_spelled_as_most_films_spell_it() -> None:
    """Of spellings alike the first in the alphabet; a name that no film of the base has any longer
    is spelled as the delta spells it."""
    base = postings_of([("drama",), ("Drama",), ("Drama",), ("war",), ("War",)])
    assert [base.spelling(key) for key in base] == ["Drama", "War"]
    rows = MergedRows(np.array([3, 4], np.int64), np.array([5], np.int64))
    merged = MergedPostings(base, postings_of([("WAR", "drama")]), rows)
    assert merged.most_frequent(np.ones(4, np.bool_), 9) == [
        ("Drama", "drama", 4),
        ("WAR", "war", 1),
    ]
