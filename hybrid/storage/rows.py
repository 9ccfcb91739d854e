"""Rows of films, in the order of ids: numbers of them, or a mark for each."""

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]

Rows = NDArray[np.int64]

NO_ROWS: Rows = np.empty(0, np.int64)


def rows_of_ranges(firsts: Rows, counts: Rows) -> Rows:
    """Return the rows of n ranges one after the other, int64 (sum of the counts,).

    Range i has `counts[i]` rows, the first of which is `firsts[i]`, both int64 (n,).
    """
    rows: Rows = np.arange(counts.sum()) + np.repeat(firsts - np.cumsum(counts) + counts, counts)
    return rows
