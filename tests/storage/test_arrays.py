"""Files of several arrays."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from hybrid.storage.arrays import ALIGNMENT, Texts, read_arrays, write_arrays


def test_arrays_are_read_as_they_were_written(tmp_path: Path) -> None:
    """Whatever their type, shape and order in memory, and none of them can be changed; each begins
    where a processor reads it best."""
    arrays: list[NDArray[Any]] = [
        np.arange(7, dtype=np.uint8),
        np.empty((0, 5), np.int64),
        np.arange(12, dtype=np.float32).reshape(3, 4).T,
        np.array([True, False]),
        np.array([2**62, -1]),
        np.arange(20, dtype=np.int32)[::3],
    ]
    write_arrays(tmp_path / "arrays", arrays)
    found = read_arrays(tmp_path / "arrays")
    assert [(array.dtype, array.shape) for array in found] == [
        (array.dtype, array.shape) for array in arrays
    ]
    for read, written in zip(found, arrays, strict=True):
        assert read.tolist() == written.tolist()
        assert not read.flags.writeable
        assert not read.size or read.ctypes.data % 64 == 0
    assert ALIGNMENT == 64
    assert (tmp_path / "arrays").stat().st_size % 64 == 0


def test_only_plain_values_are_written(tmp_path: Path) -> None:
    """Reading an object could run code."""
    with pytest.raises(ValueError, match="allow_pickle"):
        write_arrays(tmp_path / "arrays", [np.array([{}], object)])


def test_texts_are_letters_and_where_they_begin() -> None:
    """In UTF-8, also if there are none."""
    texts = ["Äon", "", "七人"]
    found = Texts.of(texts)
    assert len(found) == 3
    assert [found[number].decode() for number in range(3)] == texts
    assert found.starts.tolist() == [0, 4, 4, 10]
    assert (len(Texts.of([])), Texts.of([]).starts.tolist()) == (0, [0])
