"""Rows of films, in the order of ids: numbers of them, or a mark for each."""

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]

Rows = NDArray[np.int64]

NO_ROWS: Rows = np.empty(0, np.int64)
