"""What is read of all films of a base, as arrays that are mapped into memory."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Self

from numpy.typing import NDArray

from hybrid.ranking import Ids
from hybrid.storage.arrays import read_arrays, write_arrays
from hybrid.storage.filter_columns import NAME_FIELDS, NUMBERS, UnmergedColumns
from hybrid.storage.mapped import mapped
from hybrid.storage.postings import Postings
from hybrid.storage.rows import Rows

ARRAYS_OF_POSTINGS = 6


@dataclass(frozen=True)
class BaseColumns:
    """Columns of n films, one row per film in the order of ids.

    Film f has `counts[f]` sentences, whose vectors begin at row `firsts[f]` of the pieces one after
    the other, both int64 (n,).
    """

    columns: UnmergedColumns
    firsts: Rows
    counts: Rows

    @property
    def ids(self) -> Ids:
        """The ids of the films, int64 (n,) ascending."""
        return self.columns.ids

    @classmethod
    def read(cls, file: Path) -> Self:
        """Return the columns of a file, mapped into memory."""
        return mapped(file, lambda path: cls.of_arrays(iter(read_arrays(path))))

    @classmethod
    def of_arrays(cls, arrays: Iterator[NDArray[Any]]) -> Self:
        """Return the columns that `arrays` returned."""
        ids, firsts, counts = islice(arrays, 3)
        numbers = {field: next(arrays) for field in NUMBERS}
        names = {
            field: Postings.of_arrays(list(islice(arrays, ARRAYS_OF_POSTINGS)))
            for field in NAME_FIELDS
        }
        return cls(UnmergedColumns(ids, numbers, names), firsts, counts)

    def arrays(self) -> Iterator[NDArray[Any]]:
        """Yield the arrays that it is made of."""
        yield from (self.ids, self.firsts, self.counts)
        yield from self.columns.numbers.values()
        for postings in self.columns.names.values():
            yield from postings.arrays()

    def write(self, file: Path) -> None:
        """Write the columns. Raises OSError."""
        write_arrays(file, self.arrays())
