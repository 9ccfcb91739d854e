"""Which files of vectors a change writes and which it keeps: few files, and little written twice.

Files never change. A new one takes in those before it that hold less than twice as much, so that
sizes at least double from one to the one before: n sentences lie in at most log2(n) + 1 files.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hybrid.engines.catalogue import SentencePlaces


@dataclass(frozen=True)
class Plan:
    """What becomes of the pieces: those `kept`, those `absorbed` by the piece `number`."""

    kept: tuple[int, ...]
    absorbed: tuple[int, ...]
    number: int


def plan(pieces: tuple[int, ...], live: Mapping[int, int], rows: int) -> Plan:
    """Return what becomes of `pieces` when `rows` new sentences come.

    `live` is the number of sentences in each piece that stay. A piece without any is dropped.
    """
    standing = [number for number in sorted(pieces) if live.get(number)]
    absorbed = []
    while rows and standing and live[standing[-1]] < 2 * rows:
        absorbed.append(standing.pop())
        rows += live[absorbed[-1]]
    return Plan(tuple(standing), tuple(sorted(absorbed)), max(pieces, default=-1) + 1)


def live_rows(sentences: SentencePlaces, staying: NDArray[np.bool_]) -> dict[int, int]:
    """Return the number of sentences in each piece of the films that stay, bool (n,)."""
    has = staying & (sentences.counts > 0)
    pieces, index = np.unique(sentences.pieces[has], return_inverse=True)
    rows = np.bincount(index, weights=sentences.counts[has], minlength=len(pieces))
    return dict(zip(pieces.tolist(), rows.astype(int).tolist(), strict=True))
