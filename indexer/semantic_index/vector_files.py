"""The files of vectors, called pieces: writing them, and which a change keeps."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hybrid.storage.catalogue import SentenceRows
from hybrid.vectors import Vectors


def write_npy(file: Path, rows: int, blocks: Iterable[Vectors], more: Vectors | None) -> None:
    """Write `rows` vectors that come in blocks, and after them those of `more`.

    Not memory-mapped: on a full disk a write raises, but a mapping ends the process.
    """
    last = np.empty((0, 0), np.float32) if more is None else more
    with file.open("wb") as out:
        for number, block in enumerate(chain(blocks, [last])):
            if number == 0:
                shape = (rows + len(last), block.shape[1])
                header = {"descr": "<f4", "fortran_order": False, "shape": shape}
                np.lib.format.write_array_header_1_0(out, header)
            out.write(np.ascontiguousarray(block).data)


@dataclass(frozen=True)
class Plan:
    """Which pieces are `kept`, and which are `absorbed` by the new piece `number`."""

    kept: tuple[int, ...]
    absorbed: tuple[int, ...]
    number: int


def plan(pieces: tuple[int, ...], live: Mapping[int, int], rows: int) -> Plan:
    """Return what becomes of `pieces` when `rows` sentences are added.

    `live` is the number of sentences in each piece that stay; a piece without any is dropped.
    """
    kept = [number for number in sorted(pieces) if live.get(number)]
    absorbed = []
    while rows and kept and live[kept[-1]] < 2 * rows:
        absorbed.append(kept.pop())
        rows += live[absorbed[-1]]
    return Plan(tuple(kept), tuple(sorted(absorbed)), max(pieces, default=-1) + 1)


def live_rows(sentences: SentenceRows, staying: NDArray[np.bool_]) -> dict[int, int]:
    """Return the number of sentences in each piece of the films that stay, bool (n,)."""
    has = staying & (sentences.counts > 0)
    pieces, index = np.unique(sentences.pieces[has], return_inverse=True)
    rows = np.bincount(index, weights=sentences.counts[has], minlength=len(pieces))
    return dict(zip(pieces.tolist(), rows.astype(int).tolist(), strict=True))
