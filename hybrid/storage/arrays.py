"""Files of several arrays, which readers map into memory instead of reading them."""

import mmap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from io import BytesIO
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

ALIGNMENT = 64
"""Each array begins at a multiple of so many bytes, as in a .npy file."""

HEADER = 1024
"""The most bytes of a header that numpy writes for an array of numbers."""


def write_arrays(file: Path, arrays: Iterable[NDArray[Any]]) -> None:
    """Write arrays one after the other, each as a .npy file has it. Raises OSError."""
    with file.open("wb") as out:
        for array in arrays:
            npy.write_array(out, np.ascontiguousarray(array), (1, 0), allow_pickle=False)
            out.write(b"\0" * (-out.tell() % ALIGNMENT))


def read_arrays(file: Path) -> Sequence[NDArray[Any]]:
    """Return the arrays of a file, read-only and mapped into memory.

    The file must have been checked against its digest.
    """
    with file.open("rb") as opened:
        content = mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ)
    letters = np.frombuffer(content, np.uint8)
    arrays, start = [], 0
    while start < len(letters):
        header = BytesIO(content[start : start + HEADER])
        npy.read_magic(header)
        shape, _, dtype = npy.read_array_header_1_0(header)
        first = start + header.tell()
        end = first + int(np.prod(shape)) * dtype.itemsize
        arrays.append(letters[first:end].view(dtype).reshape(shape))
        start = end + -end % ALIGNMENT
    return arrays


@dataclass(frozen=True)
class Texts:
    """n texts as arrays: `letters` uint8, UTF-8 of all; text i is `letters[starts[i]:starts[i+1]]`.

    `starts` int64 (n + 1,).
    """

    letters: NDArray[np.uint8]
    starts: NDArray[np.int64]

    @classmethod
    def of(cls, texts: Sequence[str]) -> Self:
        """Return texts as arrays."""
        encoded = [text.encode() for text in texts]
        lengths = np.fromiter(map(len, encoded), np.int64, len(encoded))
        return cls(
            np.frombuffer(b"".join(encoded), np.uint8),
            np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)]),
        )

    def __len__(self) -> int:
        return len(self.starts) - 1

    @cached_property
    def _views(self) -> tuple[memoryview, memoryview]:
        """The arrays as Python reads single elements in half the time."""
        return self.letters.data, self.starts.data

    def __getitem__(self, number: int) -> bytes:
        """Return a text in UTF-8, whose order is that of the text's characters."""
        letters, starts = self._views
        return bytes(letters[starts[number] : starts[number + 1]])
