"""Rows of a base and a delta in one order, against a merge written out."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hybrid.storage.merged_rows import MergedRows

IDS = st.sets(st.integers(0, 30), max_size=20)


@given(base=IDS, gone=IDS, delta=IDS, marked=IDS)
def test_rows_are_those_of_a_merge(
    base: set[int], gone: set[int], delta: set[int], marked: set[int]
) -> None:
    """Films of the base that are outdated do not count; what the delta has is in its order."""
    outdated = base & (gone | delta)
    old, new = np.array(sorted(base), np.int64), np.array(sorted(delta), np.int64)
    merged = MergedRows.of(old, np.array(sorted(outdated), np.int64), new)
    films = sorted((base - outdated) | delta)
    assert merged.is_base == (not outdated and not delta)
    assert merged.column(old, new).tolist() == films
    assert [films[row] for row in merged.of_delta] == sorted(delta)
    counting = np.flatnonzero(merged.counts(np.arange(len(old))))
    assert old[counting].tolist() == sorted(base - outdated)
    assert [films[row] for row in merged.of_base(counting)] == sorted(base - outdated)
    of_old = np.array([row for row, film in enumerate(sorted(base)) if film in marked], np.int64)
    of_new = np.array([row for row, film in enumerate(sorted(delta)) if film in marked], np.int64)
    found = [films[row] for row in merged.merge(of_old, of_new)]
    assert found == [film for film in films if film in marked]
    in_base, in_delta = merged.split(np.array([film in marked for film in films], np.bool_))
    assert old[in_base].tolist() == sorted((base - outdated) & marked)
    assert new[in_delta].tolist() == sorted(delta & marked)
